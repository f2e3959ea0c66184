"""How far a job is: which steps are done, which one runs, and what its hook said of itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from alectio_agent.wire.claims import Step
from alectio_agent.wire.results import Progress

LONG_S = 60.0
"""One count alone tells something when it took so long that imports hardly matter."""


@dataclass(frozen=True)
class StepMark:
    """One step of a job in hand; times are of the monotonic clock.

    Attributes:
        began_s: When it began here; None before, and when an earlier life of the agent ran it.
        took_s: Seconds that its hook took; None until it is done.
    """

    step: Step
    state: Literal["next", "running", "done", "failed"] = "next"
    began_s: float | None = None
    took_s: float | None = None


@dataclass(frozen=True)
class Noted:
    """The newest progress of a running step, and where it came from.

    Attributes:
        at_s: When it was said, by the monotonic clock.
        first_done: The first `done` of this step.
        first_s: When that was said.
        has_restarted: `done` went back, or `total` changed: a counter for each epoch, say. Then
            it does not tell how far the step is.
    """

    progress: Progress
    at_s: float
    first_done: float
    first_s: float
    has_restarted: bool = False

    @classmethod
    def after(cls, earlier: Self | None, progress: Progress, now_s: float) -> Self:
        """What is known once more was said.

        Args:
            earlier: What was known before; None for the first of a step.
            progress: What was said.
            now_s: When.
        """
        done = progress.done or 0.0
        if earlier is None:
            return cls(progress, now_s, done, now_s)
        was = earlier.progress
        has_restarted = done < (was.done or 0.0) or progress.total != was.total
        return replace(
            earlier,
            progress=progress,
            at_s=now_s,
            has_restarted=earlier.has_restarted or has_restarted,
        )


class StepMarks:
    """The steps of one job. Its thread marks them; any thread reads `all`, which never changes."""

    def __init__(self, steps: Sequence[Step], done: set[str]) -> None:
        """Start before the first step.

        Args:
            steps: All of the job, in order.
            done: Those with a durable result.
        """
        self.all = tuple(StepMark(step, "done" if step in done else "next") for step in steps)

    def begin(self, step: Step, now_s: float) -> None:
        """A step runs from now on."""
        self._put(StepMark(step, "running", now_s))

    def end(self, step: Step, took_s: float | None) -> None:
        """A step is over.

        Args:
            step: Which.
            took_s: Seconds that its hook took; None when it gave no result.
        """
        mark = next(mark for mark in self.all if mark.step == step)
        state: Literal["done", "failed"] = "failed" if took_s is None else "done"
        self._put(replace(mark, state=state, took_s=took_s))

    def _put(self, put: StepMark) -> None:
        self.all = tuple(put if mark.step == put.step else mark for mark in self.all)


def left_by_progress(noted: Noted, began_s: float | None, now_s: float) -> float | None:
    """Seconds that a step still takes, by its own count.

    Args:
        noted: What its hook said.
        began_s: When the step began.
        now_s: The time; all by the monotonic clock.

    Returns:
        None when the count does not tell.
    """
    done, total = noted.progress.done, noted.progress.total
    if done is None or total is None or noted.has_restarted or not 0 < done <= total:
        return None
    # What came before the first count (imports, data) belongs to no part of the count.
    gained, took_s = done - noted.first_done, noted.at_s - noted.first_s
    if gained <= 0 and began_s is not None and noted.at_s - began_s >= LONG_S:
        gained, took_s = done, noted.at_s - began_s
    if gained <= 0 or took_s <= 0:
        return None
    return max(0.0, (total - done) * took_s / gained - (now_s - noted.at_s))
