"""`experiment show`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import ExperimentName
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@click.argument("name", type=ExperimentName())
@hub_options
def show(*, name: str, common: Common, **where: Any) -> None:
    """Show the experiment NAME, loop by loop."""
    from alectio_agent.cli.experiment_table import print_experiment

    with named_hub(common, **where) as operator:
        view = operator.experiment(name)
        control = operator.experiment(view.control) if view.control else None
    if common.as_json:
        click.echo(view.model_dump_json(indent=2))
    else:
        print_experiment(view, control)
