"""Reads documents of experiments that may tell little: everything beyond a name is optional."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alectio_agent.core.log import printable

Document = dict[str, Any]
"""All that is kept of an experiment, as in its `experiment.json`."""

Loop = dict[str, Any]
STEPS = ("train", "test", "infer")
METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "macro_precision": "precision",
    "macro_recall": "recall",
}
"""What metrics are called on a page; precision and recall are means over the classes."""


@dataclass(frozen=True)
class Point:
    """A metric of one loop.

    Attributes:
        labels: Labelled samples that `train` got.
        value: Of the metric.
        loop: Number of the loop.
    """

    labels: int
    value: float
    loop: int


def finite(value: Any) -> float | None:
    """A number that can be shown.

    Args:
        value: Anything.

    Returns:
        None for NaN, infinity, and whatever is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def count_of(value: Any) -> int | None:
    """A number of things; None for whatever is none.

    Args:
        value: Anything.
    """
    number = finite(value)
    return int(number) if number is not None and number >= 0 else None


def member(value: Any, *keys: str) -> Any:
    """What lies inside nested members.

    Args:
        value: A document, a loop, or a part of one.
        keys: The way to it.

    Returns:
        None as soon as something on the way is missing.
    """
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def entries(value: Any) -> list[Any]:
    """A list that may be missing.

    Args:
        value: A list, or anything else.

    Returns:
        The list; an empty one for anything else.
    """
    return value if isinstance(value, list) else []


def loops_of(document: Document | None) -> list[Loop]:
    """All loops of an experiment, by their numbers.

    Args:
        document: None tells of no loop.
    """
    found = [loop for loop in entries(member(document, "loops")) if isinstance(loop, dict)]
    return sorted(found, key=lambda loop: count_of(loop.get("loop")) or 0)


def number_of(loop: Loop) -> int:
    """The number of a loop.

    Args:
        loop: Of a document.
    """
    return count_of(loop.get("loop")) or 0


def points_of(document: Document | None, metric: str) -> list[Point]:
    """The learning curve of one metric.

    Args:
        document: None has none.
        metric: Its name.

    Returns:
        A point for each loop that has a finite value, by labels.
    """
    found = []
    for loop in loops_of(document):
        labels, value = count_of(loop.get("labels")), finite(member(loop, "metrics", metric))
        if labels is not None and value is not None:
            found.append(Point(labels, value, number_of(loop)))
    return sorted(found, key=lambda point: point.labels)


def metrics_of(document: Document | None) -> list[str]:
    """The metrics that any loop has a value of, the usual ones first.

    Args:
        document: None has none.
    """
    told = {
        name
        for loop in loops_of(document)
        if count_of(loop.get("labels")) is not None
        for name, value in (member(loop, "metrics") or {}).items()
        if finite(value) is not None
    }
    return [name for name in METRICS if name in told] + sorted(told - METRICS.keys())


def metric_title(metric: str) -> str:
    """What a page calls a metric.

    Args:
        metric: Its name.
    """
    return METRICS.get(metric) or printable(metric, 40)


def last_with(document: Document, *keys: str) -> Loop | None:
    """The last loop that tells something of a kind.

    Args:
        document: Of the experiment.
        keys: The way to what is wanted.

    Returns:
        None when no loop tells it.
    """
    told = (loop for loop in reversed(loops_of(document)) if member(loop, *keys))
    return next(told, None)


def class_names(document: Document) -> list[str]:
    """The classes in column order; numbered where they have no names.

    Args:
        document: Of the experiment.

    Returns:
        Empty for tasks without classes.
    """
    classes = member(document, "settings", "classes")
    if isinstance(classes, list):
        return [str(name) for name in classes]
    count = count_of(classes) or _columns(document)
    return [f"class {column}" for column in range(count)]


def _columns(document: Document) -> int:
    """As many as the widest list per class has."""
    lists = [
        entries(member(loop, *keys))
        for loop in loops_of(document)
        for keys in (("per_class", "f1"), ("class_counts", "labelled"), ("confusion",))
    ]
    return max(map(len, lists), default=0)


def class_name(names: Sequence[str], label: Any) -> str | None:
    """What a label is called.

    Args:
        names: Of the classes, in column order.
        label: A column, or the name of a class.

    Returns:
        None for no label.
    """
    if label is None or isinstance(label, bool):
        return None
    if isinstance(label, int):
        return names[label] if 0 <= label < len(names) else f"class {label}"
    return str(label)


def seconds_of(loop: Loop) -> dict[str, float]:
    """Seconds of each step whose hook was counted.

    Args:
        loop: Of a document.
    """
    told = member(loop, "times", "seconds")
    found = {step: finite(member(told, step)) for step in STEPS}
    return {step: seconds for step, seconds in found.items() if seconds is not None}


def is_judged(document: Document) -> bool:
    """Whether `test` has counted in any loop.

    Args:
        document: Of the experiment.
    """
    return any(loop.get("metrics") or "test" in seconds_of(loop) for loop in loops_of(document))


def is_over(document: Document | None) -> bool:
    """Whether nothing will come any more.

    Args:
        document: None tells of nothing that could come.
    """
    return document is None or document.get("state") in ("finished", "cancelled")


def moment(text: Any) -> datetime | None:
    """A time stamp.

    Args:
        text: As ISO 8601.

    Returns:
        None when it is none, or tells no time zone.
    """
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
