"""`experiment list`."""

from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.wire.operation import ExperimentView


@click.command("list")
@hub_options
def list_experiments(*, common: Common, **where: Any) -> None:
    """List all experiments."""
    with named_hub(common, needs="viewer", **where) as operator:
        found = operator.experiments()
    if common.as_json:
        click.echo(found.model_dump_json(indent=2))
    elif found.experiments:
        _print(found.experiments)
    else:
        click.echo("No experiments yet. Create one: alectio-agent experiment create FILE", err=True)


def _print(experiments: "list[ExperimentView]") -> None:
    from alectio_agent.cli.plain_table import plain_output, plain_table
    from alectio_agent.core.log import printable

    table = plain_table()
    table.add_column("name", overflow="fold", min_width=20)
    for title in ("state", "loops", "pipeline", "created"):
        table.add_column(title, justify="right" if title == "loops" else "left", no_wrap=True)
    for view in experiments:
        pipeline = view.settings.pipeline or "the only one"
        created = view.created_at[:16].replace("T", " ")
        table.add_row(view.name, view.state, str(view.settings.loops), pipeline, created)
    out = plain_output()
    out.print(table)
    for view in experiments:
        told = view.reason or (f"waits for {view.waits_for}" if view.waits_for else "")
        if told:
            reason = printable(told.splitlines()[0], 300)
            out.print(f"{view.name}: {view.state}: {reason}")
