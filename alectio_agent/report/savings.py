"""How many labels the same score took with and without a strategy.

A score is reached where the curve first comes up to it; between two loops it is taken to rise in a
straight line, and the number of labels is rounded up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from alectio_agent.report.reading import Document, Point, is_over, metrics_of, points_of

ENOUGH_LOOPS = 2
"""With loop 0 alone, which both share, nothing can be compared."""


@dataclass(frozen=True)
class Reach:
    """Where two curves reach the same score.

    Attributes:
        score: The score.
        ours: Labels; None when it is not reached.
        control: Labels that the control needed; None when it has not reached it.
    """

    score: float
    ours: int | None
    control: int | None

    @property
    def saved(self) -> int | None:
        """Labels that the strategy saved; below zero when random needed fewer."""
        if self.ours is None or self.control is None:
            return None
        return self.control - self.ours


@dataclass(frozen=True)
class Saving:
    """One metric of an experiment beside that of its control.

    Attributes:
        metric: Its name.
        last: Our last point.
        control_last: The control's last point.
        of_control: Where both reach the control's last score.
        of_ours: Where both reach our last score.
        is_over: Whether both have ended, so that no score will be reached any more.
    """

    metric: str
    last: Point
    control_last: Point
    of_control: Reach
    of_ours: Reach
    is_over: bool = False

    def least(self, reach: Reach) -> str:
        """What is known of a saving although one of both has not reached the score.

        Args:
            reach: Whose saving is not known.
        """
        if reach.ours is None or reach.ours >= self.control_last.labels:
            return "cannot be known" if self.is_over else "cannot be known yet"
        return f"more than {self.control_last.labels - reach.ours:,}"

    @property
    def shared(self) -> Reach:
        """Where both reach the lower of the two last scores, which both have reached."""
        is_lower = self.control_last.value <= self.last.value
        return self.of_control if is_lower else self.of_ours


@dataclass(frozen=True)
class Savings:
    """What is known of savings.

    Attributes:
        found: By metric; empty when nothing can be known yet.
        why: Why nothing can be known; empty otherwise.
        is_over: Whether both have ended: what is not known now never will be.
    """

    found: Sequence[Saving]
    why: str = ""
    is_over: bool = False


def reach(points: Sequence[Point], score: float) -> int | None:
    """How many labels a curve needs for a score.

    Args:
        points: By labels.
        score: To be reached.

    Returns:
        Labels, rounded up; None when no point comes up to it.
    """
    for at, point in enumerate(points):
        if point.value < score:
            continue
        if at == 0:
            return point.labels
        before = points[at - 1]
        way = (score - before.value) / (point.value - before.value)
        exact = before.labels + way * (point.labels - before.labels)
        # One label more would be said when 300 is computed as 300.00000000000006.
        return math.ceil(round(exact, 6))
    return None


def find_savings(document: Document, control: Document | None) -> Savings:
    """Compare an experiment with its control.

    Args:
        document: The experiment.
        control: None when it has none.

    Returns:
        Savings for each metric that both have.
    """
    ended = is_over(document) and is_over(control)
    if control is None:
        return Savings((), "there is no control", ended)
    metrics = [name for name in metrics_of(document) if name in metrics_of(control)]
    if not metrics:
        return Savings((), "no loop of both is judged", ended)
    found = []
    for metric in metrics:
        ours, theirs = points_of(document, metric), points_of(control, metric)
        if min(len(ours), len(theirs)) < ENOUGH_LOOPS:
            why = "fewer than two loops of both are judged, and they share the first"
            return Savings((), why, ended)
        found.append(replace(_compare(metric, ours, theirs), is_over=ended))
    return Savings(found, is_over=ended)


def _compare(metric: str, ours: Sequence[Point], theirs: Sequence[Point]) -> Saving:
    last, control_last = ours[-1], theirs[-1]
    of_control, of_ours = (
        Reach(score, reach(ours, score), reach(theirs, score))
        for score in (control_last.value, last.value)
    )
    return Saving(metric, last, control_last, of_control, of_ours)
