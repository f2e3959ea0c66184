"""Starts hook processes, and turns how a call of one ends into a report or an error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.child_process import (
    ChildEndedError,
    ChildProcess,
    Report,
    StoppedError,
)
from alectio_agent.agent.hooks.commands import state_command
from alectio_agent.agent.hooks.environment import ExperimentFolders, build_environment
from alectio_agent.agent.hooks.failures import Scene, to_crash, to_error, to_timeout
from alectio_agent.agent.hooks.groups import Groups, new_marker
from alectio_agent.agent.hooks.inspection import HookInspection, prefix_digest
from alectio_agent.agent.hooks.interpreter import check_interpreter
from alectio_agent.agent.hooks.launching import Launch
from alectio_agent.agent.hooks.limits import NO_LIMITS, Limits
from alectio_agent.agent.hooks.steps import PartFile, ignore, say_so
from alectio_agent.agent.hooks.stopping import Stopper
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.clock import Clock
from alectio_agent.core.disk_errors import told_apart
from alectio_agent.core.errors import HookInterruptedError, StoreUnavailableError

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
    ) -> None:
        """Bind the calls; arguments as in `HookSlot`, and the slot's stopper."""
        self._clock = clock
        self._groups = groups
        self._environment = environment
        self._stopper = stopper
        self.on_progress = on_progress

    def start(self, scene: Scene, folders: ExperimentFolders | None) -> ChildProcess:
        """Start a process; it has read nothing of the user's yet.

        Args:
            scene: What it is for.
            folders: Of the experiment; None when it is not known yet.

        Raises:
            HookLoadError: The interpreter, or a folder or file of the pipeline, cannot be used.
        """
        pipeline, marker = scene.pipeline, new_marker()
        check_interpreter(scene.pipeline_name, pipeline)
        environment = build_environment(pipeline, self._environment, folders, marker)
        launch = Launch(
            pipeline.python, pipeline.cwd, environment, scene.log_file, marker, scene.is_debugged
        )
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
            limits: How long it may take.
            listeners: Told of what happens on the way.

        Returns:
            The report `done`.

        Raises:
            StoreError: The disk did not take the names of the records.
            HookError: Any other end.
        """
        allowed = NO_LIMITS if scene.is_debugged else limits
        told_to = listeners or Listeners()
        try:
            told = process.call(
                command, self._stopper, lambda said: self._hear(said, told_to), allowed
            )
        except ChildEndedError as error:
            raise to_crash(error.code, error.ending, scene) from error
        except StoppedError as error:
            process.kill()
            if error.overrun is not None:
                raise to_timeout(error.overrun, allowed, scene) from error
            raise HookInterruptedError(f"{scene.what}: cancelled before it ended") from error
        if told.get("kind") == "disk":
            raise told_apart(told["path"], told["errno"], told["message"])
        if told["report"] == "failed":
            raise to_error(told, scene)
        return told

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
    """How long imports and `state` may take outside of a step."""
    return Limits(scene.pipeline.timeout.test)


def step_limits(scene: Scene) -> Limits:
    """How long a step may take."""
    timeout = scene.pipeline.timeout
    return Limits(timeout.of(scene.step), timeout.no_progress)


def load_limits(scene: Scene) -> Limits:
    """How long the import before a step may take: it cannot report progress."""
    return Limits(scene.pipeline.timeout.of(scene.step))


def known_files(pipeline: PipelineSettings) -> list[Path]:
    """Files that a process is going to read, whatever it imports.

    Args:
        pipeline: That it works for.
    """
    return [file for file in (pipeline.hooks_file, pipeline.env_file) if file is not None]
