"""A process that was started before there is a job for it: its interpreter is up already."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.hooks.calls import HookCalls
from alectio_agent.agent.hooks.child_process import ChildProcess
from alectio_agent.agent.hooks.edited_files import EditedFiles
from alectio_agent.agent.hooks.failures import Scene
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import HookError

log = logging.getLogger(__name__)

SPARE_S = 10.0
"""A job that waits is there by then; without one the memory is better given back."""


@dataclass(frozen=True)
class _Spare:
    process: ChildProcess
    key: tuple[str, PipelineSettings]
    files: EditedFiles
    until_s: float


class SpareProcess:
    """At most one process of one pipeline, without user code; the first job takes it."""

    def __init__(self, clock: Clock, calls: HookCalls, now_ns: Callable[[], int]) -> None:
        """Start without one.

        Args:
            clock: For its age.
            calls: Starts it.
            now_ns: Wall clock, nanoseconds since 1970.
        """
        self._clock = clock
        self._calls = calls
        self._now_ns = now_ns
        self._spare: _Spare | None = None

    def prepare(self, name: str, pipeline: PipelineSettings, log_file: Path) -> None:
        """Start one; what is wrong with the pipeline is said when a job needs a process.

        Args:
            name: Of the pipeline.
            pipeline: Its settings.
            log_file: For what the interpreter itself may print.
        """
        scene = Scene(f"pipelines.{name}", "", name, pipeline, log_file)
        files = EditedFiles(filter(None, [pipeline.env_file]), self._now_ns)
        try:
            process = self._calls.start(scene, None)
        except HookError as error:
            log.debug("no process was started ahead: %s", error)
            return
        until_s = self._clock.monotonic() + SPARE_S
        self._spare = _Spare(process, (name, pipeline), files, until_s)

    def is_for(self, pipeline: str) -> bool:
        """Whether there is one for a pipeline."""
        spare = self._spare
        return spare is not None and spare.key[0] == pipeline

    def take(self, scene: Scene) -> ChildProcess | None:
        """Hand it over, if it may be used.

        Args:
            scene: What it is for; a debugger needs a process with the agent's terminal.

        Returns:
            None when there is none; one that does not fit is ended.
        """
        spare = self._spare
        if spare is None:
            return None
        fits = spare.key == (scene.pipeline_name, scene.pipeline) and not scene.is_debugged
        if not fits or not spare.process.is_alive or spare.files.changed() is not None:
            self.drop()
            return None
        self._spare = None
        return spare.process

    def evict(self) -> float | None:
        """End it when no job came in time.

        Returns:
            Seconds until the next look, None when there is nothing to look at.
        """
        if self._spare is None:
            return None
        left_s = self._spare.until_s - self._clock.monotonic()
        if left_s > 0:
            return left_s
        self.drop()
        return None

    def drop(self) -> None:
        """End it, if there is one."""
        if self._spare is not None:
            spare, self._spare = self._spare, None
            spare.process.end()
