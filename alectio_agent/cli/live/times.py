"""How long it still takes: arithmetic over what was seen, and nothing when that says nothing.

Progress of the running step counts first. Else earlier loops tell: `train` grows along the straight
line that fits their times best over their labels (least squares; it never falls), `test` takes as
long as last time, `infer` as long for each sample without a label. Between two loops passes what
passed in the middle case. The end of an experiment is told from two loops on: one alone cannot say
how training grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from alectio_agent.agent.jobs.step_marks import Noted, StepMark, left_by_progress
from alectio_agent.wire.claims import Step
from alectio_agent.wire.operation import ExperimentView, LoopView
from alectio_agent.wire.pools import batch_left

STEPS: tuple[Step, ...] = ("train", "test", "infer")
LOOPS_SEEN = 5
"""Pauses between so many of the newest loops are looked at."""
MOST_LOOPS = 1000
"""An end that is further away is not told: nobody plans with it, and each look would cost."""


@dataclass(frozen=True)
class History:
    """What the loops that are done tell.

    Attributes:
        done: They, oldest first.
        pool: Number of samples.
    """

    done: tuple[LoopView, ...]
    pool: int

    @classmethod
    def of(cls, view: ExperimentView) -> "History":
        """Of an experiment.

        Args:
            view: With its loops.
        """
        done = tuple(loop for loop in view.loops if loop.state == "done")
        return cls(done, view.pool or 0)

    def last(self, step: Step) -> float | None:
        """Seconds of a step in the last loop that ran it."""
        return next((loop.seconds[step] for loop in reversed(self.done) if step in loop.seconds),
                    None)  # fmt: skip

    def expected(self, step: Step, labels: int) -> float | None:
        """Seconds that a step will take.

        Args:
            step: Of a loop to come, or one that runs.
            labels: Labelled samples of that loop.

        Returns:
            None when no loop has run it.
        """
        if step == "train":
            return self._train(labels)
        if step == "infer":
            return self._infer(labels)
        return self.last("test")

    def between(self) -> float:
        """Seconds between the steps of one loop and those of the next."""
        gaps = []
        for earlier, later in zip(self.done, self.done[1:], strict=False):
            if earlier.done_at and later.done_at:
                span = datetime.fromisoformat(later.done_at) - datetime.fromisoformat(
                    earlier.done_at
                )
                gaps.append(max(0.0, span.total_seconds() - sum(later.seconds.values())))
        return median(gaps[-LOOPS_SEEN:]) if gaps else 0.0

    def _train(self, labels: int) -> float | None:
        points = [(loop.labels, loop.seconds["train"]) for loop in self.done
                  if "train" in loop.seconds]  # fmt: skip
        if not points:
            return None
        mean_x = sum(x for x, _ in points) / len(points)
        mean_y = sum(y for _, y in points) / len(points)
        width = sum((x - mean_x) ** 2 for x, _ in points)
        rise = sum((x - mean_x) * (y - mean_y) for x, y in points)
        slope = max(0.0, rise / width) if width else 0.0
        return max(0.0, mean_y + slope * (labels - mean_x))

    def _infer(self, labels: int) -> float | None:
        for loop in reversed(self.done):
            if "infer" in loop.seconds:
                scored = self.pool - loop.labels
                share = max(0, self.pool - labels) / scored if scored > 0 else 1.0
                return loop.seconds["infer"] * share
        return None


def step_left(
    mark: StepMark, noted: Noted | None, expected_s: float | None, now_s: float
) -> float | None:
    """Seconds that a running step still takes.

    Args:
        mark: The step.
        noted: What its hook said last.
        expected_s: What earlier loops say that it takes in all.
        now_s: The time.

    Returns:
        None when nothing tells, or it takes longer than expected.
    """
    if noted is not None:
        left_s = left_by_progress(noted, mark.began_s, now_s)
        if left_s is not None:
            return left_s
    if expected_s is None or mark.began_s is None:
        return None
    left_s = expected_s - (now_s - mark.began_s)
    return left_s if left_s > 0 else None


def steps_of(view: ExperimentView, loop: int, labels: int) -> tuple[Step, ...]:
    """The steps of a loop. Its `infer` is asked for only when a model chooses the next batch.

    Args:
        view: The experiment.
        loop: From 0.
        labels: Labelled samples of that loop.
    """
    settings, pool = view.settings, view.pool
    if view.control_of is not None or loop + 1 >= settings.loops:
        return STEPS[:-1]
    if pool is not None and batch_left(settings, loop + 1, labels, pool) == 0:
        return STEPS[:-1]
    return STEPS


def experiment_left(
    view: ExperimentView, steps: Sequence[StepMark], noted: Noted | None, now_s: float
) -> float | None:
    """Seconds until the last loop is done.

    Args:
        view: The experiment.
        steps: Of its job in hand; none when there is none.
        noted: What the hook of the running step said last.
        now_s: The time.

    Returns:
        None while nothing tells.
    """
    history = History.of(view)
    if len(history.done) < 2 or view.pool is None:
        return None
    begun = [loop for loop in view.loops if loop.state != "done"]
    labels = begun[-1].labels if begun else history.done[-1].labels
    total_s = _rest_of(view, history, steps, noted, now_s) if begun else 0.0
    between_s = history.between()
    for loop in range(len(view.loops), view.settings.loops):
        batch = batch_left(view.settings, loop, labels, view.pool)
        if batch == 0:
            break
        if loop - len(view.loops) >= MOST_LOOPS:
            return None
        labels += batch
        asked = steps_of(view, loop, labels)
        total_s += between_s + sum(history.expected(step, labels) or 0.0 for step in asked)
    return total_s


def _rest_of(
    view: ExperimentView,
    history: History,
    steps: Sequence[StepMark],
    noted: Noted | None,
    now_s: float,
) -> float:
    """What the loop in hand still takes."""
    loop = [loop for loop in view.loops if loop.state != "done"][-1]
    marks, total_s = {mark.step: mark for mark in steps}, 0.0
    for step in steps_of(view, loop.loop, loop.labels):
        mark, expected_s = marks.get(step), history.expected(step, loop.labels)
        if mark is not None and mark.state == "running":
            total_s += step_left(mark, noted, expected_s, now_s) or 0.0
        elif step not in loop.seconds and (mark is None or mark.state == "next"):
            total_s += expected_s or 0.0
    return total_s
