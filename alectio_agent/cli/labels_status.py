"""`experiment labels status`."""

from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.wire.labels import LabelQueue


@click.command
@experiment_name
@hub_options
def status(*, name: str, common: Common, **where: Any) -> None:
    """Say how many labels of each loop of NAME are there, and what it waits for."""
    from alectio_agent.cli.experiment_outcome import labels_export
    from alectio_agent.cli.screen import say

    with named_hub(common, needs="viewer", **where) as operator:
        queue = operator.labels(name)
    if common.as_json:
        click.echo(queue.model_dump_json(indent=2, exclude={"samples"}))
        return
    waits = f" (waits for {queue.waits_for})" if queue.waits_for else ""
    click.echo(f"{queue.name}: {queue.state}{waits}")
    if queue.loops:
        _print(queue)
    missing = [loop.loop for loop in queue.loops if loop.returned < loop.asked]
    if queue.waits_for and missing and not common.is_quiet:
        say(f"Go on: {labels_export(name, missing[-1])}")


def _print(queue: "LabelQueue") -> None:
    from alectio_agent.cli.plain_table import plain_output, plain_table

    table = plain_table()
    for title in ("loop", "asked", "labelled", "excluded", "missing"):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("state", "asked at"):
        table.add_column(title, no_wrap=True)
    for loop in queue.loops:
        counts = (loop.asked, loop.returned - loop.excluded, loop.excluded,
                  loop.asked - loop.returned)  # fmt: skip
        asked_at = (loop.asked_at or "")[:16].replace("T", " ")
        shown = [f"{number:,}" for number in counts]
        table.add_row(str(loop.loop), *shown, loop.state, f"{asked_at}Z" if asked_at else "")
    plain_output().print(table)
