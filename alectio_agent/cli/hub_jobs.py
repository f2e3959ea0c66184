"""The open jobs of a hub, as `jobs --hub` lists them."""

from pathlib import Path

import click

from alectio_agent.cli.hub_options import named_hub
from alectio_agent.cli.options import Common
from alectio_agent.cli.plain_table import plain_output, plain_table
from alectio_agent.core.log import printable
from alectio_agent.core.units import format_duration
from alectio_agent.wire.operation import JobView


def list_hub_jobs(common: Common, hub: str, token_file: Path | None, number: int) -> None:
    """Print the newest open jobs of a hub.

    Args:
        common: The options of every command.
        hub: Its URL.
        token_file: Holds a token for it.
        number: How many at most.
    """
    with named_hub(common, hub, token_file, needs="viewer") as operator:
        found = operator.jobs()
    shown = found.jobs[-number:]
    if common.as_json:
        click.echo(found.model_copy(update={"jobs": shown}).model_dump_json(indent=2))
    elif not shown:
        click.echo(f"No open jobs on {hub}.", err=True)
    else:
        _print(shown)


def _print(shown: list[JobView]) -> None:
    table = plain_table()
    for title in ("job", "attempt", "state", "step", "progress", "agent"):
        table.add_column(title, justify="right" if title == "attempt" else "left", overflow="fold")
    for view in shown:
        table.add_row(
            view.job,
            str(view.attempt),
            view.state,
            view.step or "",
            _progress(view),
            printable(view.agent or ""),
        )
    plain_output().print(table)
    for view in shown:
        if view.problem:
            click.echo(f"{view.job}: {view.problem}")


def _progress(view: JobView) -> str:
    """Such as `13/20 (65 %), 6 min 12 s left`; empty while the hook says nothing."""
    told = view.progress
    if told is None or told.done is None:
        return ""
    if told.total is None or told.total <= 0:
        return f"{told.done:g}"
    left = "" if view.left_s is None else f", {format_duration(view.left_s)} left"
    return f"{told.done:g}/{told.total:g} ({100 * told.done / told.total:.0f} %){left}"
