"""An experiment as a table, loop by loop, with its control beside it."""

import sys

from rich.console import Console
from rich.table import Table

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.core.units import format_duration
from alectio_agent.wire.operation import ExperimentView, LoopView

METRICS = ("accuracy", "macro_f1")


def describe_loop(loop: LoopView) -> str:
    """One loop in a line.

    Args:
        loop: With its metrics.

    Returns:
        Such as `120 labels, accuracy 0.903, macro_f1 0.901`.
    """
    metrics = loop.metrics or {}
    told = [f"{name} {metrics[name]:.3f}" for name in METRICS if name in metrics]
    return ", ".join([f"{loop.labels:,} labels", *told])


def print_result(operator: OperationClient, name: str) -> None:
    """Print an experiment, its control's metric beside it, and where its files are.

    Args:
        operator: Client of the hub.
        name: Of the experiment.
    """
    view = operator.experiment(name)
    control = operator.experiment(view.control) if view.control else None
    print_experiment(view, control)


def print_experiment(view: ExperimentView, control: ExperimentView | None = None) -> None:
    """Print an experiment on stdout.

    Args:
        view: With its loops.
        control: Shown in a column of its own.
    """
    out = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 100)
    has_problem = any(loop.problem for loop in view.loops)  # told below, with its loop
    reason = f" ({view.reason})" if view.reason and not has_problem else ""
    reason = reason or (f" (waits for {view.waits_for})" if view.waits_for else "")
    out.print(f"{view.name}: {view.state}{reason}", markup=False)
    out.print(_table(view, control))
    for shown in (view, control):
        for loop in shown.loops if shown else []:
            if loop.problem:
                out.print(
                    f"{shown.name if shown else ''}/{loop.loop}: {loop.problem}", markup=False
                )
    if view.results:
        out.print(f"results: {view.results}", markup=False, soft_wrap=True)


def _table(view: ExperimentView, control: ExperimentView | None) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    names = [name for name in METRICS if any(name in (loop.metrics or {}) for loop in view.loops)]
    for title in ("loop", "labels", *names, *(["control"] if control else []), "train"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("chosen by", overflow="fold")
    beside = {loop.labels: loop for loop in control.loops} if control else {}
    for loop in view.loops:
        metrics = loop.metrics or {}
        cells = [str(loop.loop), f"{loop.labels:,}"]
        cells += [f"{metrics[name]:.3f}" if name in metrics else "..." for name in names]
        if control:
            cells.append(_metric(beside.get(loop.labels)))
        seconds = loop.seconds.get("train")
        cells += ["" if seconds is None else format_duration(seconds), loop.chosen_by]
        table.add_row(*cells)
    return table


def _metric(loop: LoopView | None) -> str:
    """The control's accuracy at the same number of labels."""
    value = (loop.metrics or {}).get(METRICS[0]) if loop else None
    return "" if value is None else f"{value:.3f}"
