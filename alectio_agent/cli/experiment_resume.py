"""`experiment resume`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@experiment_name
@hub_options
def resume(*, name: str, common: Common, **where: Any) -> None:
    """Let the experiment NAME go on after a pause."""
    from alectio_agent.cli.experiment_outcome import print_outcome

    with named_hub(common, **where) as operator:
        view = operator.resume_experiment(name)
    print_outcome(view, common, "goes on")
