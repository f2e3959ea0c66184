"""Learning curves: each metric against labels, the control beside it, other seeds as a band."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alectio_agent.report.figures import Figure, band, curve
from alectio_agent.report.reading import Document, Point, metric_title, metrics_of, points_of
from alectio_agent.report.table import Table
from alectio_agent.report.words import UNKNOWN, count, drawn, number


@dataclass(frozen=True)
class Spread:
    """Several runs of one experiment at the numbers of labels that at least two of them have.

    Attributes:
        low: Lowest values.
        mean: Mean values.
        high: Highest values.
        runs: How many runs there are.
    """

    low: Sequence[Point]
    mean: Sequence[Point]
    high: Sequence[Point]
    runs: int


@dataclass(frozen=True)
class Curve:
    """One metric.

    Attributes:
        metric: Its name.
        title: What the page calls it.
        figure: The curves.
        table: Their numbers.
    """

    metric: str
    title: str
    figure: Figure
    table: Table


def spread_of(runs: Sequence[Document], metric: str) -> Spread | None:
    """How far runs with other seeds lie apart.

    Args:
        runs: Of the same experiment.
        metric: Its name.

    Returns:
        None unless two runs share a number of labels.
    """
    at = defaultdict[int, list[float]](list)
    for run in runs:
        for point in points_of(run, metric):
            at[point.labels].append(point.value)
    shared = {labels: values for labels, values in sorted(at.items()) if len(values) > 1}
    if not shared:
        return None
    low, mean, high = (
        [Point(labels, round(of(values), 6), 0) for labels, values in shared.items()]
        for of in (min, _mean, max)
    )
    return Spread(low, mean, high, len(runs))


def find_curves(
    document: Document, control: Document | None, siblings: Sequence[Document]
) -> list[Curve]:
    """The curves of all metrics.

    Args:
        document: The experiment.
        control: Its control, if any.
        siblings: The same with other seeds.

    Returns:
        Empty before a loop was judged, and for tasks without metrics.
    """
    return [_curve(metric, document, control, siblings) for metric in metrics_of(document)]


def _curve(
    metric: str, document: Document, control: Document | None, siblings: Sequence[Document]
) -> Curve:
    ours, theirs = points_of(document, metric), points_of(control, metric)
    spread = spread_of([document, *siblings], metric) if siblings else None
    traces = []
    if spread:
        traces += band(spread.low, spread.high, 0)
        mean = curve(f"mean of {spread.runs} seeds", spread.mean, 2)
        said = "mean %{y:.4f} with %{x:,} labels<extra></extra>"
        dotted = {**mean["line"], "dash": "dot"}
        traces.append({**mean, "mode": "lines", "line": dotted, "hovertemplate": said})
    if theirs:
        traces.append(curve("random (control)", theirs, 1, is_dashed=True))
    traces.append(curve("this experiment", ours, 0))
    title = metric_title(metric)
    layout = {
        "xaxis": {"title": {"text": "labelled samples"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": drawn(title)}, **_heights(traces)},
    }
    label = f"Learning curve: {title} against labelled samples; the numbers stand below"
    return Curve(metric, title, Figure(traces, layout, label), _table(title, ours, theirs, spread))


def _heights(traces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Room around values that are all the same: left alone, an accuracy would go from -1 to 2."""
    values = {value for trace in traces for value in trace["y"] if value is not None}
    if len(values) != 1:
        return {}
    (value,) = values
    room = 0.05 * max(1.0, abs(value))
    return {"range": [value - room, value + room]}


def _table(
    title: str, ours: Sequence[Point], theirs: Sequence[Point], spread: Spread | None
) -> Table:
    columns = {"this experiment": ours}
    if theirs:
        columns["random (control)"] = theirs
    if spread:
        columns |= {"lowest": spread.low, "mean": spread.mean, "highest": spread.high}
    by_labels = [{point.labels: point.value for point in points} for points in columns.values()]
    at = sorted({labels for values in by_labels for labels in values})
    rows = [
        [count(labels)]
        + [number(values[labels]) if labels in values else UNKNOWN for values in by_labels]
        for labels in at
    ]
    return Table(f"{title} by labelled samples", ["labels", *columns], rows)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
