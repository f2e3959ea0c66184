"""`service print-unit`."""

import json
from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common, common_options
from alectio_agent.cli.screen import say
from alectio_agent.cli.service_options import plan_options

if TYPE_CHECKING:
    from alectio_agent.cli.units.plan import Plan


@click.command
@plan_options
@common_options
def print_unit(*, plan: "Plan", common: Common) -> None:
    """Print exactly what install would write, each file under its path; writes nothing."""
    if common.as_json:
        files = {f"/{path}": text for path, text in plan.files().items()}
        click.echo(json.dumps({"files": files}, indent=2))
        return
    click.echo(plan.shown(), nl=False)
    if plan.kept:
        say(plan.kept)
