"""How the classes are divided: what is labelled, what the model says of the rest, the test set."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alectio_agent.report.figures import Figure, colour
from alectio_agent.report.reading import (
    Document,
    class_names,
    count_of,
    entries,
    finite,
    last_with,
    member,
    number_of,
)
from alectio_agent.report.table import Cell, Table
from alectio_agent.report.words import FIGURE_LETTERS, count, drawn, name, share

MOST_CLASSES = 40
"""A figure or table of more is not read; the rarest ones are shown then."""
PREDICTED = "predicted in the pool"


@dataclass(frozen=True)
class Balance:
    """The classes of an experiment.

    Attributes:
        loop: Whose labels are counted.
        predicted_loop: Whose model was asked about the rest of the pool; None: not known.
        rarest: The class with the fewest labels.
        rarest_count: How many it has.
        without: How many classes have no label at all.
        classes: How many classes there are.
        entropy: Of the labelled classes, in bits.
        evenness: The entropy's share of the largest there can be, from 0 to 1.
        figure: Shares of each class.
        table: Their numbers.
    """

    loop: int
    predicted_loop: int | None
    rarest: str
    rarest_count: int
    without: int
    classes: int
    entropy: float
    evenness: float
    figure: Figure
    table: Table


def entropy_of(counts: Sequence[float]) -> float:
    """Shannon entropy of a histogram, in bits.

    Args:
        counts: Zero or more each.

    Returns:
        0 for a single class, log2 of their number for even ones.

    Source:
        Shannon (1948), A mathematical theory of communication.
    """
    whole = sum(counts)
    return sum(-part / whole * math.log2(part / whole) for part in counts if part) if whole else 0.0


def find_balance(document: Document) -> Balance | None:
    """The division into classes after the last loop that tells it.

    Args:
        document: Of the experiment.

    Returns:
        None when labels did not leave the site, or the task has no classes.
    """
    loop = last_with(document, "class_counts", "labelled")
    names = class_names(document)
    if loop is None or not names:
        return None
    labelled = _counts(member(loop, "class_counts", "labelled"), len(names))
    told = last_with(document, "class_counts", "predicted")
    predicted = _counts(member(told, "class_counts", "predicted"), len(names)) if told else None
    judged = last_with(document, "per_class", "support")
    support = _counts(member(judged, "per_class", "support"), len(names)) if judged else None
    if not sum(labelled):
        return None
    rarest = min(range(len(names)), key=lambda column: labelled[column])
    entropy = entropy_of(labelled)
    # Many classes: those that lack labels most, in column order.
    columns = sorted(sorted(range(len(names)), key=lambda at: labelled[at])[:MOST_CLASSES])
    series = {"labelled": labelled, PREDICTED: predicted, "test set": support}
    known = {title: counts for title, counts in series.items() if counts and sum(counts)}
    return Balance(
        loop=number_of(loop),
        predicted_loop=number_of(told) if told and PREDICTED in known else None,
        rarest=names[rarest],
        rarest_count=labelled[rarest],
        without=labelled.count(0),
        classes=len(names),
        entropy=entropy,
        evenness=entropy / math.log2(len(names)) if len(names) > 1 else 1.0,
        figure=_figure(names, columns, known),
        table=_table(names, columns, known),
    )


def _counts(told: Any, classes: int) -> list[int]:
    counts = [count_of(value) or 0 for value in entries(told)][:classes]
    return counts + [0] * (classes - len(counts))


def _figure(names: Sequence[str], columns: list[int], known: dict[str, list[int]]) -> Figure:
    traces = []
    for at, (title, counts) in enumerate(known.items()):
        whole = sum(counts)
        traces.append({
            "type": "scatter",
            "mode": "markers",
            "name": title,
            "x": [round(100 * counts[column] / whole, 3) for column in columns],
            "y": list(range(len(columns))),
            "customdata": [counts[column] for column in columns],
            "marker": {"symbol": ("circle", "diamond-open", "line-ns-open")[at], "size": 11,
                       "color": colour(at), "line": {"width": 2, "color": colour(at)}},
            "hovertemplate": f"%{{x:.1f}} % ({title}: %{{customdata:,}})<extra></extra>",
        })  # fmt: skip
    layout = {
        "height": 120 + 26 * len(columns),
        "xaxis": {"title": {"text": "share, %"}, "rangemode": "tozero"},
        "yaxis": {
            "tickvals": list(range(len(columns))),
            "ticktext": [drawn(names[column], FIGURE_LETTERS) for column in columns],
            "autorange": "reversed",
        },
    }
    return Figure(traces, layout, "Share of each class; the numbers stand below")


def _table(names: Sequence[str], columns: list[int], known: dict[str, list[int]]) -> Table:
    heads: list[Cell] = ["class"]
    for title in known:
        heads += [title, "share"]
    rows = []
    for column in columns:
        row: list[Cell] = [name(names[column])]
        for counts in known.values():
            row += [count(counts[column]), share(counts[column], finite(sum(counts)))]
        rows.append(row)
    left = len(names) - len(columns)
    more = f"{left:,} classes with more labels are in classes.csv." if left else ""
    return Table("Samples of each class", heads, rows, more)
