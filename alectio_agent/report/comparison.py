"""Several experiments in one page."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from alectio_agent.report.change_rows import show
from alectio_agent.report.changes import flat
from alectio_agent.report.curves import Curve
from alectio_agent.report.figures import Figure, curve
from alectio_agent.report.head import main_metric
from alectio_agent.report.page import Told
from alectio_agent.report.pages import fill, whole_page
from alectio_agent.report.reading import (
    STEPS,
    class_names,
    count_of,
    entries,
    finite,
    last_with,
    loops_of,
    member,
    metric_title,
    points_of,
    seconds_of,
)
from alectio_agent.report.runs import Needs, Run, all_metrics, find_needs, find_runs
from alectio_agent.report.table import Cell, Table
from alectio_agent.report.times import find_times
from alectio_agent.report.words import UNKNOWN, count, drawn, duration, name, number

MOST_CLASSES = 100
OWN = ("name",)
"""Settings in which experiments always differ."""
PARTS = (
    ("overview", "Experiments"),
    ("curves", "Learning curves"),
    ("needs", "Labels needed"),
    ("settings", "Settings"),
    ("classes", "Classes"),
    ("times", "Times"),
)


def render_comparison(documents: Sequence[Told]) -> str:
    """A page that puts experiments side by side.

    Args:
        documents: With their controls; a source tells those of one name apart.

    Returns:
        HTML in one file that needs no network, with every name in it escaped.
    """
    runs = find_runs(documents)
    metrics = all_metrics(runs)
    body = fill(
        "comparison.html",
        overview=_overview(runs),
        curves=[_curve(runs, metric) for metric in metrics],
        needs=[_needs_table(runs, find_needs(runs, metric)) for metric in metrics],
        settings=_settings(runs),
        classes=_classes(runs),
        times=_times(runs),
    )
    return whole_page("Comparison", PARTS, Markup(body))  # noqa: S704 - made of escaped parts


def _called(run: Run) -> Markup:
    return Markup("{} (random)").format(name(run.label)) if run.is_control else name(run.label)


def _overview(runs: Sequence[Run]) -> Table:
    metrics = all_metrics(runs)
    heads: list[Cell] = ["experiment", "state", "labels", "pool", "loops done"]
    heads += [f"last {metric_title(metric)}" for metric in metrics]
    heads += ["best", "hooks"]
    rows = []
    for run in runs:
        loops = loops_of(run.document)
        labels = [known for loop in loops if (known := count_of(loop.get("labels"))) is not None]
        last = [points_of(run.document, metric)[-1:] for metric in metrics]
        main = points_of(run.document, main_metric(run.document))
        rows.append([
            _called(run),
            name(run.document.get("state") or "not known"),
            count(max(labels, default=0)),
            count(member(run.document, "pool", "size")),
            count(sum(loop.get("state") == "done" for loop in loops)),
            *(number(points[0].value) if points else UNKNOWN for points in last),
            number(max((point.value for point in main), default=None)),
            duration(find_times(run.document).hooks_s),
        ])  # fmt: skip
    return Table("Experiments", heads, rows)


def _curve(runs: Sequence[Run], metric: str) -> Curve:
    title = metric_title(metric)
    told = [(run, points_of(run.document, metric)) for run in runs]
    # A control has the colour of its experiment, which stands before it.
    position, traces = -1, []
    for run, points in told:
        position += 0 if run.is_control and position >= 0 else 1
        label = f"{run.label} (random)" if run.is_control else run.label
        if points:
            traces.append(curve(label, points, position, is_dashed=run.is_control))
    by_labels = [{point.labels: point.value for point in points} for _, points in told]
    rows = [
        [count(at), *(number(values[at]) if at in values else UNKNOWN for values in by_labels)]
        for at in sorted({labels for values in by_labels for labels in values})
    ]
    layout = {
        "height": 380 + 12 * len(traces),
        "xaxis": {"title": {"text": "labelled samples"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": drawn(title)}},
    }
    said = f"Learning curves: {title} against labelled samples; the numbers stand below"
    table = Table(f"{title} by labelled samples", ["labels", *map(_called, runs)], rows)
    return Curve(metric, title, Figure(traces, layout, said), table)


def _needs_table(runs: Sequence[Run], needs: Needs) -> Table:
    heads: list[Cell] = ["experiment"]
    heads += [
        f"{level:.3f}" + (" (all reach it)" if level == needs.common else "")
        for level in needs.levels
    ]
    rows = [
        [_called(run), *("not reached" if labels is None else count(labels) for labels in row)]
        for run, row in zip(runs, needs.rows, strict=True)
    ]
    return Table(f"Labels to reach a score: {metric_title(needs.metric)}", heads, rows)


def _settings(runs: Sequence[Run]) -> Table:
    """Those in which not all are the same."""
    told = [flat(member(run.document, "settings") or {}) for run in runs]
    for run, settings in zip(runs, told, strict=True):
        settings["pool"] = member(run.document, "pool", "size")
        settings["pipeline"] = run.document.get("pipeline")
    keys = sorted({key for settings in told for key in settings} - set(OWN))
    rows = [
        [name(key), *(name(show(settings.get(key)), 120) for settings in told)]
        for key in keys
        if any(settings.get(key) != told[0].get(key) for settings in told)
    ]
    return Table("Settings that differ", ["setting", *map(_called, runs)], rows)


def _classes(runs: Sequence[Run]) -> Table:
    """F1 of each class after the last judged loop; classes are matched by their names."""
    scores = [_class_scores(run) for run in runs]
    names = list(dict.fromkeys(label for by_name in scores for label in by_name))
    rows = [
        [name(label), *(number(by_name.get(label)) for by_name in scores)]
        for label in names[:MOST_CLASSES]
    ]
    left = len(names) - len(rows)
    more = f"{left:,} more classes are in classes.csv of each." if left else ""
    return Table("F1 of each class", ["class", *map(_called, runs)], rows, more)


def _class_scores(run: Run) -> dict[str, Any]:
    loop = last_with(run.document, "per_class", "f1")
    values = entries(member(loop, "per_class", "f1"))
    return {
        label: finite(value)
        for label, value in zip(class_names(run.document), values, strict=False)
    }


def _times(runs: Sequence[Run]) -> Table:
    rows = []
    for run in runs:
        seconds = [seconds_of(loop) for loop in loops_of(run.document)]
        sums = [sum(each.get(step, 0.0) for each in seconds) for step in STEPS]
        rows.append([
            _called(run),
            *map(duration, sums),
            duration(sum(sums)),
            duration(find_times(run.document).running_s),
        ])  # fmt: skip
    heads = ["experiment", *STEPS, "all hooks", "from creation to the end"]
    return Table("Time of all loops", heads, rows)
