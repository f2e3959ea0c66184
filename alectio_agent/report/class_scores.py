"""Precision, recall and F1 of each class, with what changed since the loop before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alectio_agent.report.reading import (
    Document,
    Loop,
    class_names,
    entries,
    finite,
    loops_of,
    member,
    number_of,
)
from alectio_agent.report.table import Cell, Table
from alectio_agent.report.words import count, difference, name, number

MOST_CLASSES = 100
SHOWN = ("precision", "recall", "f1")


@dataclass(frozen=True)
class ClassScores:
    """Each class after the last judged loop.

    Attributes:
        loop: Number of the loop.
        before: Number of the judged loop before it; None when it is the first.
        table: The scores.
    """

    loop: int
    before: int | None
    table: Table


def find_class_scores(document: Document) -> ClassScores | None:
    """Scores per class of the last judged loop.

    Args:
        document: Of the experiment.

    Returns:
        None before a loop was judged, and for tasks without classes.
    """
    judged = [loop for loop in loops_of(document) if entries(member(loop, "per_class", "f1"))]
    if not judged:
        return None
    last, before = judged[-1], judged[-2] if len(judged) > 1 else None
    size = len(entries(last["per_class"]["f1"]))
    names = (class_names(document) + [f"class {column}" for column in range(size)])[:size]
    columns = _worst(last, size)
    rows = [_row(names[column], column, last, before) for column in columns]
    heads: list[Cell] = ["class"]
    for metric in SHOWN:
        heads += ["F1" if metric == "f1" else metric, "change"]
    left = size - len(columns)
    more = f"{left:,} classes with a higher F1 are in classes.csv." if left else ""
    table = Table("Scores of each class", [*heads, "test samples"], rows, more)
    return ClassScores(number_of(last), number_of(before) if before else None, table)


def _worst(loop: Loop, size: int) -> list[int]:
    """All classes; of very many those with the lowest F1."""
    if size <= MOST_CLASSES:
        return list(range(size))
    scores = [_value(loop, "f1", column) for column in range(size)]
    lowest = sorted(range(size), key=lambda at: 2.0 if scores[at] is None else scores[at] or 0.0)
    return lowest[:MOST_CLASSES]


def _row(label: str, column: int, last: Loop, before: Loop | None) -> list[Cell]:
    row: list[Cell] = [name(label)]
    for metric in SHOWN:
        new = _value(last, metric, column)
        old = _value(before, metric, column)
        row += [number(new), difference(None if new is None or old is None else new - old)]
    return [*row, count(_value(last, "support", column))]


def _value(loop: Loop | None, metric: str, column: int) -> float | None:
    values: Sequence[Any] = entries(member(loop, "per_class", metric))
    return finite(values[column]) if column < len(values) else None
