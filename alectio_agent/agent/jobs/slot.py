"""A slot: runs one job at a time, and ends its hook process when it stayed idle."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from alectio_agent.agent.jobs.empty_log import EmptyLogs
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.run import JobRun, StepRunner

log = logging.getLogger(__name__)

IDLE_S = 3600.0


MOST_ENDED = 5
"""Jobs that are remembered, for whoever looks."""


@dataclass(frozen=True)
class EndedJob:
    """A job that ended here.

    Attributes:
        ending: `interrupted`: handed back, cancelled, or lost to another agent.
        took_s: Seconds of its steps that ended here.
        at_s: When it ended, by the monotonic clock.
    """

    job: str
    attempt: int
    ending: Literal["done", "failed", "interrupted"]
    took_s: float
    at_s: float | None = None


class SlotHooks(StepRunner, Protocol):
    """The slot's hook process."""

    def evict_idle(self) -> float | None:
        """End it when it was idle for too long; seconds until the next look."""

    def readiness(self, pipeline: str, experiment: str) -> int:
        """How soon it could begin a job of an experiment; more is sooner."""

    def request(self, within_s: float | None, *, asks_hook: bool) -> None:
        """Let the running step end by itself within a time, from another thread."""

    def kill(self) -> None:
        """End the running step at once, from another thread."""

    def close(self) -> None:
        """End it for good; called by the thread that ran its steps."""

    def refresh(self) -> None:
        """End it, if there is one."""


class Slot:
    """A step object, driven by one thread that lives as long as the agent."""

    def __init__(
        self,
        hooks: SlotHooks,
        on_free: Callable[[], None],
        number: int = 0,
        pipelines: Collection[str] | None = None,
    ) -> None:
        """Start without a job.

        Args:
            hooks: Kept for all jobs of this slot.
            on_free: Called when a job is over.
            number: Its position in `slots` of the configuration.
            pipelines: Those that may run here; None for all.
        """
        self.hooks = hooks
        self.number = number
        self._pipelines = pipelines
        self.on_free = on_free
        self._run: JobRun | None = None
        self._logs = EmptyLogs()
        self.quota = Quota()
        self.is_paused: Callable[[], bool] = _never
        self.ended: deque[EndedJob] = deque(maxlen=MOST_ENDED)
        self.wake = threading.Event()

    @property
    def is_free(self) -> bool:
        """Whether a job may be given to it."""
        return self._run is None

    @property
    def job(self) -> str | None:
        """The job in hand, as `experiment/loop`."""
        run = self._run
        return run.claim.job if run else None

    @property
    def in_hand(self) -> JobRun | None:
        """The job in hand itself, to look at."""
        return self._run

    def may_run(self, pipeline: str) -> bool:
        """Whether a pipeline's jobs may run here."""
        return self._pipelines is None or pipeline in self._pipelines

    def note_progress(
        self, done: float | None, total: float | None, numbers: dict[str, float]
    ) -> None:
        """Remember how far the running hook says it is."""
        if self._run is not None:
            self._run.note_progress(done, total, numbers)

    def log_files(self) -> list[Path]:
        """What the hooks of the job in hand print into; none without one."""
        run = self._run
        return [] if run is None else [run.log_file]

    def give(self, run: JobRun) -> None:
        """Hand over a job; the slot is free."""
        self._run = run
        self.wake.set()

    def step(self) -> float:
        """One turn of the job in hand, or a look at the idle hook process."""
        if self._run is None:
            if self.is_paused():
                self.hooks.refresh()  # whoever paused the agent may need its GPU
            wait_s = self.hooks.evict_idle()
            return IDLE_S if wait_s is None else wait_s
        wait_s = self._run.step()
        if wait_s is not None:
            return wait_s
        if self._run.is_done or self._run.has_failed:
            self.quota.note_end(self._run.claim.job, is_done=self._run.is_done)
        self.ended.append(_ended(self._run))
        self._logs.ended(self._run.log_file)
        self._run = None
        self.on_free()
        return 0.0


def _never() -> bool:
    """Nobody pauses it."""
    return False


def _ended(run: JobRun) -> EndedJob:
    took_s = sum(mark.took_s or 0.0 for mark in run.marks.all)
    ending: Literal["done", "failed", "interrupted"] = "interrupted"
    if run.is_done or run.has_failed:
        ending = "done" if run.is_done else "failed"
    return EndedJob(run.claim.job, run.claim.attempt, ending, took_s, run.now_s)
