"""The slot's hook process: kept warm as long as it may be, replaced when it must be."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from alectio_agent.agent.hooks.calls import (
    HookCalls,
    Listeners,
    OnProgress,
    inspection_limits,
    known_files,
    load_limits,
    step_limits,
)
from alectio_agent.agent.hooks.commands import load_command, step_command
from alectio_agent.agent.hooks.edited_files import EditedFiles
from alectio_agent.agent.hooks.environment import ExperimentFolders
from alectio_agent.agent.hooks.failures import Scene
from alectio_agent.agent.hooks.git_state import ask_git
from alectio_agent.agent.hooks.groups import Groups
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.oom import OomWitness
from alectio_agent.agent.hooks.provenance import CodeReader
from alectio_agent.agent.hooks.spare import SpareProcess
from alectio_agent.agent.hooks.steps import PartFile, StepOutcome, StepRun
from alectio_agent.agent.hooks.stopping import Stopper
from alectio_agent.agent.hooks.training import Training
from alectio_agent.agent.hooks.warm import Warm
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import HookInterruptedError
from alectio_agent.core.tally import Tally

__all__ = ["HookSlot", "PartFile", "StepOutcome", "StepRun"]

log = logging.getLogger(__name__)

START_REASONS = (
    "first", "training", "other_job", "edited", "idle", "freed", "stopped", "failed", "died",
)  # fmt: skip
"""Why a process is started; the last two are restarts that somebody should look at."""


class HookSlot:
    """Runs one step at a time. One thread drives it; `cancel` and `kill` come from any other."""

    def __init__(
        self,
        clock: Clock,
        groups: Groups,
        environment: Mapping[str, str],
        on_progress: OnProgress | None = None,
        gpus: Sequence[int | str] | None = None,
        witness: OomWitness | None = None,
    ) -> None:
        """Start without a process.

        Args:
            clock: For times and waiting.
            groups: Remembers process groups over a crash of the agent.
            environment: The agent's variables.
            on_progress: Told how far the running hook is.
            gpus: That its processes see, by number or UUID; None for all.
            witness: Tells kills by the kernel for memory; by default from this machine.
        """
        self._clock = clock
        self._stopper = Stopper(clock)
        self._calls = HookCalls(
            clock, groups, environment, self._stopper, on_progress, witness or OomWitness(), gpus
        )
        self._ask_git = partial(ask_git, environment)
        self._warm: Warm | None = None
        self.starts = Tally(*START_REASONS)
        self._start_reason = "first"
        self._spare = SpareProcess(clock, self._calls, self._now_ns)

    def why_stuck(self) -> str:
        """Why no job should be taken: what an earlier hook left does not end. Mostly empty."""
        return self._calls.leftovers.why()

    def tell(self, on_progress: OnProgress) -> None:
        """Name who is told how far the running hook is, when nobody was known before.

        Args:
            on_progress: As for the constructor.
        """
        self._calls.on_progress = on_progress

    def prepare(self, name: str, pipeline: PipelineSettings, log_file: Path) -> None:
        """Start a process for the first job before it is there; arguments as in `SpareProcess`."""
        self._spare.prepare(name, pipeline, log_file)

    def run(self, step_run: StepRun) -> StepOutcome:
        """Run one step to its end.

        Args:
            step_run: What to run.

        Returns:
            The result; its files are synced.

        Raises:
            HookError: There is no result; its class says why. The slot can run the next step.
        """
        self._stopper.begin()
        try:
            return self._run(step_run)
        except BaseException as error:
            self._drop(_why_dropped(error), at_once=not isinstance(error, Exception))
            raise
        finally:
            self._stopper.finish()

    def look(self, step_run: StepRun, names: Path) -> HookInspection:
        """Load the hooks for a step that comes next, and look at them in the same process.

        Args:
            step_run: Comes next; its samples need not be known yet.
            names: File that gets the record names.

        Returns:
            What was found.

        Raises:
            HookError: As `inspect`.
        """
        scene = _scene(step_run)
        self._stopper.begin()
        try:
            folders = _folders(step_run)
            warm = self._warm_up(step_run, scene, folders)
            state = replace(scene, what=f"pipelines.{scene.pipeline_name} state", step="")
            return self._calls.look(warm.process, state, folders, warm.loaded["forms"], names)
        except BaseException as error:
            self._drop(_why_dropped(error), at_once=not isinstance(error, Exception))
            raise
        finally:
            self._stopper.finish()

    def inspect(self, name: str, pipeline: PipelineSettings, folder: Path) -> HookInspection:
        """Load a pipeline's hooks in a process of their own, look at them, and ask `state`.

        Args:
            name: Of the pipeline.
            pipeline: Its settings.
            folder: Exists; gets the record names, and what is printed.

        Returns:
            What was found.

        Raises:
            HookLoadError: The hooks cannot be loaded, or break the signature rules.
            HookError: `state` failed.
        """
        log_file = folder / f"{name}.log"
        scene = Scene(f"pipelines.{name}.hooks", "", name, pipeline, log_file)
        folders = ExperimentFolders(folder / f"{name}.inspection")
        self._stopper.begin()
        process = None
        try:
            folders.make()
            process = self._calls.start(scene, folders)
            command = load_command(name, pipeline, log_file, folders)
            loaded = self._calls.call(process, command, scene, inspection_limits(scene))
            names = folder / f"{name}.names"
            return self._calls.look(process, scene, folders, loaded["forms"], names)
        finally:
            self._stopper.finish()
            if process is not None:
                self._calls.end(process)

    def cancel(self, grace_s: float) -> None:
        """Stop the running step, from any thread; `run` raises HookInterruptedError.

        Args:
            grace_s: Between TERM and KILL of the process group.
        """
        self._stopper.ask(grace_s)

    def request(self, within_s: float | None, *, asks_hook: bool) -> None:
        """Let the running step end by itself, from any thread; arguments as in `Stopper`."""
        self._stopper.request(within_s, asks_hook=asks_hook)

    def kill(self) -> None:
        """Stop the running step at once, from any thread."""
        self._stopper.ask(0.0)

    @property
    def was_cancelled(self) -> bool:
        """Whether somebody wanted the last step ended; its result may be there all the same."""
        return self._stopper.was_asked

    def interrupt(self) -> bool:
        """Pass Ctrl-C on to the hook: its session is not that of the terminal.

        Returns:
            Whether there is a process.
        """
        if self._warm is None or not self._warm.process.is_alive:
            return False
        self._warm.process.interrupt()
        return True

    def refresh(self) -> None:
        """End the process, if there is one: the next step gets a new one."""
        self._drop("freed")

    def readiness(self, pipeline: str, experiment: str) -> int:
        """How soon it could begin a job of an experiment; may be asked by any thread.

        Args:
            pipeline: Its name.
            experiment: Its name.

        Returns:
            2 with a process that is warm for it, 1 with none in the way, 0 when one of another
            pipeline or experiment has to end first.
        """
        warm = self._warm
        if warm is not None:
            return 2 if (warm.key[0], warm.key[2]) == (pipeline, experiment) else 0
        return 2 if self._spare.is_for(pipeline) else 1

    def evict_idle(self) -> float | None:
        """End the process when it had no work for `keep_warm`, or what waits for a first job.

        Returns:
            Seconds until the next look, None when there is nothing to look at.
        """
        spare_s = self._spare.evict()
        if spare_s is not None:
            return spare_s
        if self._warm is None or self._warm.key[1].keep_warm_s is None:
            return None
        idle_s = self._clock.monotonic() - self._warm.idle_since_s
        left_s = self._warm.key[1].keep_warm_s - idle_s
        if left_s > 0:
            return left_s
        log.debug("the hook process had no work for %.0f s: ended", idle_s)
        self._drop("idle")
        return None

    def close(self) -> None:
        """End the process, if there is one."""
        self._drop("stopped")
        self._spare.drop()
        self._stopper.close()

    def _run(self, step_run: StepRun) -> StepOutcome:
        scene = _scene(step_run)
        if not step_run.is_wanted():
            raise HookInterruptedError(f"{scene.what}: cancelled before it began")
        folders = _folders(step_run)
        is_train = step_run.step == "train"
        training = Training.begin(step_run, folders.experiment) if is_train else None
        warm = self._warm_up(step_run, scene, folders)
        if self._stopper.is_hook_asked:
            raise HookInterruptedError(f"{scene.what}: stopped before it began")
        code = None if training is None else warm.code.look(map(Path, warm.loaded["files"]))
        started_at = timestamp(self._clock.now())
        warm.has_run = True
        command = step_command(step_run, folders, training.partial if training else None)
        limits = step_limits(scene)
        listeners = Listeners(step_run.on_part, step_run.on_wait)
        told = self._calls.call(warm.process, command, scene, limits, listeners)
        warm.note(told["files"])
        warm.idle_since_s = self._clock.monotonic()
        warnings = list(told["warnings"])
        if training is not None:
            warnings += training.check(is_asked=self._stopper.is_hook_asked)
        times = (started_at, timestamp(self._clock.now()))
        outcome = StepOutcome.of(told, times, warnings)
        return outcome if code is None else replace(outcome, provenance=warm.made_of(code, told))

    def _warm_up(self, step_run: StepRun, scene: Scene, folders: ExperimentFolders) -> Warm:
        """The process to use: the one at hand if it may be, else a new one."""
        key = (step_run.pipeline_name, step_run.pipeline, step_run.experiment)
        reason = self._why_replace(step_run, key)
        if self._warm is not None and reason is None:
            return self._warm
        if self._warm is not None and reason is not None:
            log.debug("a new hook process: %s", reason[1])
            self._drop(reason[0])
        self.starts.add(self._start_reason)
        files = EditedFiles(known_files(step_run.pipeline), self._now_ns)
        code = CodeReader(step_run.pipeline, files, self._ask_git)
        process = self._spare.take(scene) or self._calls.start(scene, folders)
        # Known from here on: whatever happens while it loads, the process is ended with the slot.
        warm = self._warm = Warm(process, key, files, self._clock.monotonic(), code, {})
        command = load_command(
            step_run.pipeline_name, step_run.pipeline, step_run.log_file, folders, step_run
        )
        warm.loaded = self._calls.call(process, command, scene, load_limits(scene))
        warm.note(warm.loaded["files"])
        return warm

    def _why_replace(
        self, step_run: StepRun, key: tuple[str, PipelineSettings, str]
    ) -> tuple[str, str] | None:
        """One of `START_REASONS`, and the same in words."""
        warm = self._warm
        if warm is None:
            return self._start_reason, "there is none"
        if not warm.process.is_alive:
            return "died", "it has ended by itself"
        if warm.key != key:
            return "other_job", "another pipeline or experiment"
        is_fresh = step_run.step == "train" and step_run.payload["resume_from"] is None
        if is_fresh and warm.has_run and not step_run.in_warm:
            return (
                "training",
                "training starts from nothing",
            )  # globals may carry trained weights over
        edited = warm.files.changed()
        return None if edited is None else ("edited", f"{edited} was edited")

    def _drop(self, reason: str, *, at_once: bool = False) -> None:
        if self._warm is not None:
            warm, self._warm = self._warm, None
            self._start_reason = reason
            # An interrupt comes while a hook runs, which would not hear that it is to end.
            if at_once:
                warm.process.kill()
            self._calls.end(warm.process)

    def _now_ns(self) -> int:
        return int(self._clock.now().timestamp() * 1e9)


def _why_dropped(error: BaseException) -> str:
    return "stopped" if isinstance(error, HookInterruptedError) else "failed"


def _scene(step_run: StepRun) -> Scene:
    return Scene(
        f"{step_run.job} {step_run.step}",
        step_run.step,
        step_run.pipeline_name,
        step_run.pipeline,
        step_run.log_file,
        step_run.is_debugged,
        step_run.again,
    )


def _folders(step_run: StepRun) -> ExperimentFolders:
    folders = ExperimentFolders(step_run.pipeline.checkpoints.dir / step_run.experiment)
    folders.make()
    return folders
