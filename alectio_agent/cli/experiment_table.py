"""An experiment as a table, loop by loop, with its control beside it."""

import sys

import click
from rich.console import Console
from rich.table import Table

from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.core.log import printable
from alectio_agent.core.units import format_duration
from alectio_agent.wire.operation import ExperimentView, LoopView

METRICS = ("accuracy", "macro_f1")
MOST_WARNINGS = 5
MOST_LOOKS, LOOK_S = 4, 2.0
"""Metrics are made within moments; without the analysis nobody waits longer than this."""


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


def print_result(
    operator: OperationClient, name: str, *, as_json: bool, has_problems: bool = True
) -> None:
    """Print an experiment, its control's metric beside it, and where its files are.

    Args:
        operator: Client of the hub.
        name: Of the experiment.
        as_json: The experiment alone, for programs.
        has_problems: Tell why loops wait for a person; else somebody just did.
    """
    view = _judged(operator, name)
    if as_json:
        click.echo(view.model_dump_json(indent=2))
        return
    control = operator.experiment(view.control) if view.control else None
    print_experiment(view, control, has_problems=has_problems)


def _judged(operator: OperationClient, name: str) -> ExperimentView:
    """The experiment, with the scores of a `test` that was counted a moment ago."""
    view = operator.experiment(name)
    for _ in range(MOST_LOOKS):
        if all(loop.metrics is not None or "test" not in loop.seconds for loop in view.loops):
            break
        view = operator.experiment(name, after=view.version, wait_s=LOOK_S)
    return view


def print_experiment(
    view: ExperimentView, control: ExperimentView | None = None, *, has_problems: bool = True
) -> None:
    """Print an experiment on stdout, with the warnings and the problem of its loops.

    Args:
        view: With its loops.
        control: Shown in a column of its own.
        has_problems: Tell why loops wait for a person.
    """
    out = Console(
        file=sys.stdout, highlight=False, markup=False, width=None if sys.stdout.isatty() else 100
    )
    has_problem = any(loop.problem for loop in view.loops)  # told below, with its loop
    reason = f" ({view.reason})" if view.reason and not has_problem else ""
    reason = reason or (f" (waits for {view.waits_for})" if view.waits_for else "")
    out.print(f"{view.name}: {view.state}{reason}")
    out.print(_fitting_table(view, control, out))
    for shown in (view, control) if control else (view,):
        told = problems(shown) if has_problems and shown.state != "cancelled" else []
        for line in (*newest_warnings(shown), *told):
            out.print(line)
    if view.results:
        out.print(f"results: {view.results}", soft_wrap=True)
        out.print(f"report:  {view.results}/report.html", soft_wrap=True)


def newest_warnings(view: ExperimentView) -> list[str]:
    """The last warnings of an experiment, each once, with the newest loop that has it.

    Args:
        view: With its loops.

    Returns:
        A line for each, the newest last.
    """
    lines = warnings_of(view)
    earlier = len(lines) - MOST_WARNINGS
    more = [f"! {earlier} earlier: alectio-agent experiment show {view.name} --json"]
    return [*(more if earlier > 0 else []), *lines[-MOST_WARNINGS:]]


def warnings_of(view: ExperimentView) -> list[str]:
    """All warnings of an experiment, each once, with the newest loop that has it.

    Args:
        view: With its loops.

    Returns:
        A line for each, the newest last.
    """
    told: dict[str, list[int]] = {}
    for loop in view.loops:
        for text in dict.fromkeys(loop.warnings):
            # What is said again moves to the end.
            told[text] = [*told.pop(text, []), loop.loop]
    return [
        f"! {view.name}/{loops[-1]}: {printable(' '.join(text.split()), 400)}"
        + _also(len(loops) - 1)
        for text, loops in told.items()
    ]


def problems(view: ExperimentView) -> list[str]:
    """Why loops wait for a person.

    Args:
        view: With its loops.
    """
    return [
        printable(line, 1000)
        for loop in view.loops
        if loop.problem
        for line in _placed(f"{view.name}/{loop.loop}", loop.problem).splitlines()
    ]


def _placed(job: str, problem: str) -> str:
    return problem if job in problem else f"{job}: {problem}"


def _also(loops: int) -> str:
    return f" (also in {loops} earlier loop{'s' if loops > 1 else ''})" if loops else ""


def _fitting_table(view: ExperimentView, control: ExperimentView | None, out: Console) -> Table:
    """With the seconds of `train` unless lines would be too long; results files have them too."""
    table = _table(view, control, has_train=True)
    unlimited = out.options.update(max_width=10 * out.width)
    if out.measure(table, options=unlimited).maximum <= out.width:
        return table
    return _table(view, control, has_train=False)


def _table(view: ExperimentView, control: ExperimentView | None, *, has_train: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    names = [name for name in METRICS if any(name in (loop.metrics or {}) for loop in view.loops)]
    beside = {loop.labels: loop for loop in control.loops} if control else {}
    titles = ("loop", "labels", *names, *(["control"] if control else []))
    for title in (*titles, "train") if has_train else titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("chosen by", overflow="fold")
    for loop in view.loops:
        metrics = loop.metrics or {}
        cells = [str(loop.loop), f"{loop.labels:,}"]
        cells += [f"{metrics[name]:.3f}" if name in metrics else "..." for name in names]
        if control:
            cells.append(_metric(beside.get(loop.labels)))
        if has_train:
            seconds = loop.seconds.get("train")
            cells.append("" if seconds is None else format_duration(seconds))
        table.add_row(*cells, loop.chosen_by)
    return table


def _metric(loop: LoopView | None) -> str:
    """The control's accuracy at the same number of labels."""
    value = (loop.metrics or {}).get(METRICS[0]) if loop else None
    return "" if value is None else f"{value:.3f}"
