"""Starts hook processes, and turns how a call of one ends into a report or an error."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.child_process import ChildProcess, Report
from alectio_agent.agent.hooks.commands import state_command
from alectio_agent.agent.hooks.endings import ChildEndedError, OverMemoryError, StoppedError
from alectio_agent.agent.hooks.environment import ExperimentFolders, build_environment
from alectio_agent.agent.hooks.failures import Scene, to_crash, to_error, to_timeout
from alectio_agent.agent.hooks.gpus import gpu_pins
from alectio_agent.agent.hooks.groups import Groups, new_marker
from alectio_agent.agent.hooks.inspection import HookInspection, prefix_digest
from alectio_agent.agent.hooks.interpreter import check_interpreter
from alectio_agent.agent.hooks.launching import Launch
from alectio_agent.agent.hooks.leftovers import Leftovers
from alectio_agent.agent.hooks.limits import NO_LIMITS, Limits
from alectio_agent.agent.hooks.oom import OomWitness
from alectio_agent.agent.hooks.out_of_memory import (
    NOT_FOR_MEMORY,
    KernelKill,
    to_excess,
    to_kernel_kill,
    to_worker_kill,
)
from alectio_agent.agent.hooks.steps import PartFile, ignore, say_so
from alectio_agent.agent.hooks.stopping import Stopper
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.clock import Clock
from alectio_agent.core.disk_errors import told_apart
from alectio_agent.core.errors import (
    HookError,
    HookInterruptedError,
    HookRaisedError,
    StoreUnavailableError,
)

OnProgress = Callable[[float | None, float | None, dict[str, float]], None]


class HookCalls:
    """What a slot does with one process at a time."""

    def __init__(
        self,
        clock: Clock,
        groups: Groups,
        environment: Mapping[str, str],
        stopper: Stopper,
        on_progress: OnProgress | None,
        witness: OomWitness,
        gpus: Sequence[int | str] | None,
    ) -> None:
        """Bind the calls; arguments as in `HookSlot`, and the slot's stopper."""
        self._clock = clock
        self._groups = groups
        self._environment = environment
        self._stopper = stopper
        self.on_progress = on_progress
        self._pins = gpu_pins(gpus)
        self._witness = witness
        self._kills = witness.kills()
        self.leftovers = Leftovers()

    def start(self, scene: Scene, folders: ExperimentFolders | None) -> ChildProcess:
        """Start a process; it has read nothing of the user's yet.

        Args:
            scene: What it is for.
            folders: Of the experiment; None when it is not known yet.

        Raises:
            HookLoadError: The interpreter, or a folder or file of the pipeline, cannot be used.
        """
        pipeline, marker = scene.pipeline, new_marker()
        check_interpreter(scene.pipeline_name, pipeline, self._environment)
        environment = build_environment(pipeline, self._environment, folders, marker, self._pins)
        launch = Launch(
            pipeline.python, pipeline.cwd, environment, scene.log_file, marker, scene.is_debugged
        )
        self._kills = self._witness.kills()
        return ChildProcess(launch, self._groups, self._clock)

    def call(
        self,
        process: ChildProcess,
        command: dict[str, Any],
        scene: Scene,
        limits: Limits,
        listeners: "Listeners | None" = None,
    ) -> Report:
        """Let a process do something, to its end.

        Args:
            process: Runs.
            command: What to do.
            scene: For messages.
            limits: What it may take.
            listeners: Told of what happens on the way.

        Returns:
            The report `done`.

        Raises:
            StoreError: The disk did not take the names of the records.
            HookError: Any other end.
        """
        allowed = NO_LIMITS if scene.is_debugged else limits
        told_to = listeners or Listeners()
        if self._witness.is_quick:
            self._kills = self._witness.kills()
        try:
            told = process.call(
                command, self._stopper, lambda said: self._hear(said, told_to), allowed
            )
        except ChildEndedError as error:
            process.kill()
            raise self._to_end(error, process, scene) from error
        except OverMemoryError as error:
            process.kill()
            raise to_excess(error.excess, scene) from error
        except StoppedError as error:
            process.kill()
            if error.overrun is not None:
                raise to_timeout(error.overrun, allowed, scene) from error
            raise HookInterruptedError(f"{scene.what}: cancelled before it ended") from error
        if told.get("kind") == "disk":
            raise told_apart(told["path"], told["errno"], told["message"])
        if told["report"] == "failed":
            raise self._to_failure(told, scene)
        return told

    def end(self, process: ChildProcess) -> None:
        """End a process with all that it started, and remember what does not go away.

        Args:
            process: May have been killed before.
        """
        process.end()
        if process.left:
            self.leftovers.add(process)

    def look(
        self,
        process: ChildProcess,
        scene: Scene,
        folders: ExperimentFolders,
        forms: dict[str, str],
        names: Path,
    ) -> HookInspection:
        """Tell what loaded hooks are like, and ask `state` when there is one.

        Args:
            process: Has loaded the hooks.
            scene: For messages.
            folders: Of the experiment, or what stands in for them.
            forms: As reported after loading.
            names: File that gets the record names.
        """
        if "state" not in forms:
            return HookInspection(forms)
        command = state_command(scene, names, folders)
        size = int(self.call(process, command, scene, inspection_limits(scene))["size"])
        return HookInspection(forms, names, size, prefix_digest(names, size))

    def _to_end(self, error: ChildEndedError, process: ChildProcess, scene: Scene) -> HookError:
        """The error for a process that ended in the middle of a call."""
        if error.code != -signal.SIGKILL:
            return to_crash(error.code, error.ending, scene)
        kills = self._witness.kills()
        if found := kills.since(self._kills):
            return to_kernel_kill(self._kernel_kill(found, process.peak_bytes), scene)
        hint = NOT_FOR_MEMORY if kills.count is not None else ""
        return to_crash(error.code, error.ending, scene, kill_hint=hint)

    def _to_failure(self, told: Report, scene: Scene) -> HookError:
        """The error for a report `failed`: a hook may raise because a worker of it was killed."""
        error = to_error(told, scene)
        if not isinstance(error, HookRaisedError) or not self._witness.is_quick:
            return error
        found = self._witness.kills().since(self._kills)
        return to_worker_kill(error, self._kernel_kill(found, 0), scene) if found else error

    def _kernel_kill(self, count: int, peak_bytes: int) -> KernelKill:
        return KernelKill(count, peak_bytes, self._witness.bound())

    def _hear(self, said: Report, listeners: "Listeners") -> None:
        if said.get("report") == "waits":
            error = told_apart(said["path"], said["errno"], said["reason"])
            if isinstance(error, StoreUnavailableError):
                listeners.on_wait(error)
        elif said.get("report") == "part":
            listeners.on_part(PartFile(**said["part"]))
        elif said.get("report") == "progress" and self.on_progress is not None:
            self.on_progress(said["done"], said["total"], said["numbers"])


@dataclass(frozen=True)
class Listeners:
    """Who is told of what happens while a command is obeyed.

    Attributes:
        on_part: Told of each part of the result as soon as it is durable.
        on_wait: Told each time that the disk does not take the result.
    """

    on_part: Callable[[PartFile], None] = ignore
    on_wait: Callable[[StoreUnavailableError], object] = say_so


def inspection_limits(scene: Scene) -> Limits:
    """What imports and `state` may take outside of a step."""
    return Limits(scene.pipeline.timeout.test, memory_bytes=scene.pipeline.memory)


def step_limits(scene: Scene) -> Limits:
    """What a step may take."""
    timeout = scene.pipeline.timeout
    return Limits(timeout.of(scene.step), timeout.no_progress, scene.pipeline.memory)


def load_limits(scene: Scene) -> Limits:
    """What the import before a step may take: it cannot report progress."""
    return Limits(scene.pipeline.timeout.of(scene.step), memory_bytes=scene.pipeline.memory)


def known_files(pipeline: PipelineSettings) -> list[Path]:
    """Files that a process is going to read, whatever it imports.

    Args:
        pipeline: That it works for.
    """
    return [file for file in (pipeline.hooks_file, pipeline.env_file) if file is not None]
