"""The slot's hook process: kept warm as long as it may be, replaced when it must be."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.checkpoints import check_trained, prepare_train
from alectio_agent.agent.hooks.child_process import (
    ChildEndedError,
    ChildProcess,
    Launch,
    Report,
    StoppedError,
)
from alectio_agent.agent.hooks.commands import (
    ADDED_ARGS,
    load_command,
    state_command,
    step_command,
)
from alectio_agent.agent.hooks.edited_files import EditedFiles
from alectio_agent.agent.hooks.environment import ExperimentFolders, build_environment
from alectio_agent.agent.hooks.failures import Scene, to_crash, to_error
from alectio_agent.agent.hooks.git_state import ask_git
from alectio_agent.agent.hooks.groups import Groups, new_marker
from alectio_agent.agent.hooks.inspection import HookInspection, prefix_digest
from alectio_agent.agent.hooks.interpreter import check_interpreter
from alectio_agent.agent.hooks.provenance import Code, CodeReader, Provenance
from alectio_agent.agent.hooks.steps import PartFile, StepOutcome, StepRun
from alectio_agent.agent.hooks.stopping import Stopper
from alectio_agent.config.settings import PipelineSettings
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import HookInterruptedError

__all__ = ["HookSlot", "PartFile", "StepOutcome", "StepRun"]

log = logging.getLogger(__name__)

OnProgress = Callable[[float | None, float | None, dict[str, float]], None]


@dataclass
class _Warm:
    """A process with its hooks loaded.

    Attributes:
        key: Pipeline and experiment that it works for.
        loaded: What it said when its hooks were loaded.
        idle_since_s: By the monotonic clock.
    """

    process: ChildProcess
    key: tuple[str, PipelineSettings, str]
    files: EditedFiles
    idle_since_s: float
    code: CodeReader
    loaded: Report = field(default_factory=dict)


class HookSlot:
    """Runs one step at a time. One thread drives it; `cancel` and `kill` come from any other."""

    def __init__(
        self,
        clock: Clock,
        groups: Groups,
        environment: Mapping[str, str],
        on_progress: OnProgress | None = None,
    ) -> None:
        """Start without a process.

        Args:
            clock: For times and waiting.
            groups: Remembers process groups over a crash of the agent.
            environment: The agent's variables.
            on_progress: Told how far the running hook is.
        """
        self._clock = clock
        self._groups = groups
        self._environment = environment
        self._on_progress = on_progress
        self._stopper = Stopper(clock)
        self._warm: _Warm | None = None

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
        except BaseException:
            self._drop()
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
            process = self._start(scene, folders)
            loaded = self._call(process, load_command(pipeline, log_file), scene)
            return self._look(process, scene, folders, loaded["forms"])
        finally:
            self._stopper.finish()
            if process is not None:
                process.end()

    def cancel(self, grace_s: float) -> None:
        """Stop the running step, from any thread; `run` raises HookInterruptedError.

        Args:
            grace_s: Between TERM and KILL of the process group.
        """
        self._stopper.ask(grace_s)

    def kill(self) -> None:
        """Stop the running step at once, from any thread."""
        self._stopper.ask(0.0)

    def evict_idle(self) -> float | None:
        """End the process when it had no work for `keep_warm`.

        Returns:
            Seconds until the next look, None when there is nothing to look at.
        """
        if self._warm is None or self._warm.key[1].keep_warm_s is None:
            return None
        idle_s = self._clock.monotonic() - self._warm.idle_since_s
        left_s = self._warm.key[1].keep_warm_s - idle_s
        if left_s > 0:
            return left_s
        log.debug("the hook process had no work for %.0f s: ended", idle_s)
        self._drop()
        return None

    def close(self) -> None:
        """End the process, if there is one."""
        self._drop()
        self._stopper.close()

    def _run(self, step_run: StepRun) -> StepOutcome:
        scene = _scene(step_run)
        if not step_run.is_wanted():
            raise HookInterruptedError(f"{scene.what}: cancelled before it began")
        folders = ExperimentFolders(step_run.pipeline.checkpoints.dir / step_run.experiment)
        folders.make()
        before = None
        if step_run.step == "train":
            payload = step_run.payload
            before = prepare_train(folders.experiment, payload["resume_from"], payload["ckpt_file"])
        warm = self._warm_up(step_run, scene, folders)
        code = None if before is None else warm.code.look(map(Path, warm.loaded["files"]))
        started_at = timestamp(self._clock.now())
        told = self._call(warm.process, step_command(step_run, folders), scene)
        warm.files.note(Path(file) for file in told["files"])
        warm.idle_since_s = self._clock.monotonic()
        warnings = list(told["warnings"])
        if before is not None:
            ckpt_file = step_run.payload["ckpt_file"]
            warning = check_trained(folders.experiment, before, ckpt_file, step_run.job)
            warnings += [warning] if warning else []
        outcome = _outcome(told, started_at, timestamp(self._clock.now()), warnings)
        return outcome if code is None else replace(outcome, provenance=_made_of(warm, code, told))

    def _warm_up(self, step_run: StepRun, scene: Scene, folders: ExperimentFolders) -> _Warm:
        """The process to use: the one at hand if it may be, else a new one."""
        key = (step_run.pipeline_name, step_run.pipeline, step_run.experiment)
        reason = self._why_replace(step_run, key)
        if self._warm is not None and reason is None:
            return self._warm
        if self._warm is not None:
            log.debug("%s: a new hook process: %s", scene.what, reason)
            self._drop()
        files = EditedFiles(_known_files(step_run.pipeline), self._now_ns)
        code = CodeReader(step_run.pipeline, files, partial(ask_git, self._environment))
        process = self._start(scene, folders)
        warm = self._warm = _Warm(process, key, files, self._clock.monotonic(), code)
        command = load_command(step_run.pipeline, step_run.log_file, step_run)
        warm.loaded = self._call(process, command, scene)
        files.note(Path(file) for file in warm.loaded["files"])
        return warm

    def _why_replace(self, step_run: StepRun, key: tuple[str, PipelineSettings, str]) -> str | None:
        warm = self._warm
        if warm is None or not warm.process.is_alive:
            return "there is none"
        if warm.key != key:
            return "another pipeline or experiment"
        if step_run.step == "train" and step_run.payload["resume_from"] is None:
            return "training starts from nothing"  # globals may carry trained weights over
        edited = warm.files.changed()
        return None if edited is None else f"{edited} was edited"

    def _start(self, scene: Scene, folders: ExperimentFolders) -> ChildProcess:
        pipeline, marker = scene.pipeline, new_marker()
        check_interpreter(scene.pipeline_name, pipeline)
        environment = build_environment(pipeline, self._environment, folders, marker)
        launch = Launch(pipeline.python, pipeline.cwd, environment, scene.log_file, marker)
        return ChildProcess(launch, self._groups, self._clock)

    def _call(self, process: ChildProcess, command: dict[str, Any], scene: Scene) -> Report:
        try:
            told = process.call(command, self._stopper, lambda said: self._hear(said, scene))
        except ChildEndedError as error:
            raise to_crash(error.code, error.ending, scene) from error
        except StoppedError as error:
            process.kill()
            raise HookInterruptedError(f"{scene.what}: cancelled before it ended") from error
        if told["report"] == "failed":
            raise to_error(told, scene)
        return told

    def _look(
        self, process: ChildProcess, scene: Scene, folders: ExperimentFolders, forms: dict[str, str]
    ) -> HookInspection:
        if "state" not in forms:
            return HookInspection(forms)
        file = folders.experiment.with_name(f"{scene.pipeline_name}.names")
        command = state_command(scene.pipeline, file, scene.log_file, folders)
        size = int(self._call(process, command, scene)["size"])
        return HookInspection(forms, file, size, prefix_digest(file, size))

    def _hear(self, said: Report, scene: Scene) -> None:
        if said.get("report") == "waits":
            log.warning("%s: the result waits for room on the disk: %s", scene.what, said["reason"])
        elif said.get("report") == "progress" and self._on_progress is not None:
            self._on_progress(said["done"], said["total"], said["numbers"])

    def _drop(self) -> None:
        if self._warm is not None:
            warm, self._warm = self._warm, None
            warm.process.end()

    def _now_ns(self) -> int:
        return int(self._clock.now().timestamp() * 1e9)


def _scene(step_run: StepRun) -> Scene:
    return Scene(
        f"{step_run.job} {step_run.step}",
        step_run.step,
        step_run.pipeline_name,
        step_run.pipeline,
        step_run.log_file,
    )


def _known_files(pipeline: PipelineSettings) -> list[Path]:
    """Files that a process is going to read, whatever it imports."""
    return [file for file in (pipeline.hooks_file, pipeline.env_file) if file is not None]


def _made_of(warm: _Warm, code: Code, told: Report) -> Provenance:
    args = {name: value for name, value in told["args"].items() if name not in ADDED_ARGS}
    return Provenance(code, warm.key[1].python, warm.loaded["interpreter"], args)


def _outcome(told: Report, started_at: str, finished_at: str, warnings: list[str]) -> StepOutcome:
    return StepOutcome(
        media_type=told["media_type"],
        rows=told["rows"],
        parts=tuple(PartFile(**part) for part in told["parts"]),
        inline=told["inline"],
        started_at=started_at,
        finished_at=finished_at,
        duration_s=told["duration_s"],
        warnings=tuple(warnings),
    )
