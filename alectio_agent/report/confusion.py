"""Which classes the model mixes up, after the last loop that was judged."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alectio_agent.report.reading import (
    Document,
    class_names,
    count_of,
    entries,
    last_with,
    number_of,
)
from alectio_agent.report.table import Table
from alectio_agent.report.words import count, name, share

MOST_COLUMNS = 100
"""A matrix of more is not read; its largest confusions are listed."""
MOST_PAIRS = 30
SHADES = 9


@dataclass(frozen=True)
class Square:
    """A cell of the matrix.

    Attributes:
        count: Samples of the row's class that were given the column's.
        shade: 0 for none to 9 for all of the row.
        is_right: On the diagonal.
    """

    count: int
    shade: int
    is_right: bool


@dataclass(frozen=True)
class Confusion:
    """What became of the test set.

    Attributes:
        loop: Number of the loop.
        names: Of the classes.
        squares: Rows are labels, columns predictions; empty when there are too many.
        pairs: The largest confusions.
        right: How many samples were right.
        whole: How many samples there are.
    """

    loop: int
    names: Sequence[str]
    squares: Sequence[Sequence[Square]]
    pairs: Table
    right: int
    whole: int


def find_confusion(document: Document) -> Confusion | None:
    """The confusion matrix of the last judged loop.

    Args:
        document: Of the experiment.

    Returns:
        None before a loop was judged, and for tasks without classes.
    """
    loop = last_with(document, "confusion")
    if loop is None:
        return None
    matrix = [[count_of(cell) or 0 for cell in entries(row)] for row in entries(loop["confusion"])]
    size = len(matrix)
    if any(len(row) != size for row in matrix):
        return None
    names = (class_names(document) + [f"class {column}" for column in range(size)])[:size]
    return Confusion(
        loop=number_of(loop),
        names=names,
        squares=[_row(at, row) for at, row in enumerate(matrix)] if size <= MOST_COLUMNS else [],
        pairs=_pairs(matrix, names),
        right=sum(matrix[at][at] for at in range(size)),
        whole=sum(map(sum, matrix)),
    )


def _row(at: int, row: Sequence[int]) -> list[Square]:
    whole = sum(row)
    return [
        Square(value, math.ceil(SHADES * value / whole) if whole else 0, column == at)
        for column, value in enumerate(row)
    ]


def _pairs(matrix: Sequence[Sequence[int]], names: Sequence[str]) -> Table:
    found = sorted(
        (-value, row, column)
        for row, values in enumerate(matrix)
        for column, value in enumerate(values)
        if value and row != column
    )
    rows = [
        [name(names[row]), name(names[column]), count(-value), share(-value, sum(matrix[row]))]
        for value, row, column in found[:MOST_PAIRS]
    ]
    left = len(found) - len(rows)
    more = f"{left:,} rarer confusions are in experiment.json." if left else ""
    heads = ["label", "predicted as", "samples", "of that label"]
    return Table("Largest confusions", heads, rows, more)
