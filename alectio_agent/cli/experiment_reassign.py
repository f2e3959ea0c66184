"""`experiment reassign`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@experiment_name
@hub_options
def reassign(*, name: str, common: Common, **where: Any) -> None:
    """Offer the newest job of NAME to any agent now, when the one that has it is gone."""
    from alectio_agent.cli.experiment_outcome import print_outcome

    with named_hub(common, **where) as operator:
        view = operator.reassign_experiment(name)
    print_outcome(view, common, "its job is offered to any agent")
