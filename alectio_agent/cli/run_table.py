"""Several experiments as a table on a terminal: last scores, labels to reach the same ones."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from alectio_agent.cli.plain_table import plain_output, plain_table
from alectio_agent.core.log import printable
from alectio_agent.report.reading import count_of, loops_of, metric_title, points_of
from alectio_agent.report.runs import Run, all_metrics, find_needs

MOST_METRICS = 2


def print_runs(runs: Sequence[Run]) -> None:
    """Print the experiments on stdout.

    Args:
        runs: That are compared.
    """
    out = plain_output()
    metrics = all_metrics(runs)
    out.print(_last_scores(runs, metrics[:MOST_METRICS]))
    if metrics:
        out.print()
        out.print(_labels_needed(runs, metrics[0]))
    else:
        out.print("no loop of any is judged yet")


def as_record(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The same for programs.

    Args:
        runs: That are compared.

    Returns:
        For each its last scores, and by metric the labels to reach scores; None: not reached.
    """
    metrics = all_metrics(runs)
    needs = [find_needs(runs, metric) for metric in metrics]
    return [
        {
            "name": run.document.get("name"),
            "label": run.label,
            "is_control": run.is_control,
            "state": run.document.get("state"),
            "labels": _labels(run),
            "metrics": {
                metric: points[-1].value
                for metric in metrics
                if (points := points_of(run.document, metric))
            },
            "labels_to_reach": {
                each.metric: {
                    f"{level:g}": labels
                    for level, labels in zip(each.levels, each.rows[at], strict=True)
                }
                for each in needs
                if each.levels
            },
        }
        for at, run in enumerate(runs)
    ]


def _last_scores(runs: Sequence[Run], metrics: Sequence[str]) -> Table:
    table = _table("experiment", "state", "labels", *map(metric_title, metrics))
    for run in runs:
        last = [points_of(run.document, metric)[-1:] for metric in metrics]
        scores = [f"{points[0].value:.3f}" if points else "..." for points in last]
        state = printable(run.document.get("state") or "not known", 20)
        table.add_row(_called(run), state, f"{_labels(run):,}", *scores)
    return table


def _labels_needed(runs: Sequence[Run], metric: str) -> Table:
    needs = find_needs(runs, metric)
    levels = [f"{level:.3f}".rstrip("0").rstrip(".") for level in needs.levels]
    table = _table(f"labels for {metric_title(metric)} of", *levels)
    for run, row in zip(runs, needs.rows, strict=True):
        told = ["-" if labels is None else f"{labels:,}" for labels in row]
        table.add_row(_called(run), *told)
    return table


def _table(first: str, *titles: str) -> Table:
    table = plain_table()
    table.add_column(first, overflow="fold", min_width=len(first))
    for title in titles:
        table.add_column(title, justify="left" if title == "state" else "right", no_wrap=True)
    return table


def _called(run: Run) -> str:
    return printable(run.label, 120) + (" (random)" if run.is_control else "")


def _labels(run: Run) -> int:
    return max((count_of(loop.get("labels")) or 0 for loop in loops_of(run.document)), default=0)
