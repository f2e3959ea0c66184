"""`experiment pause`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@experiment_name
@hub_options
def pause(*, name: str, common: Common, **where: Any) -> None:
    """Give out no further job of the experiment NAME; what runs is finished, and counts."""
    from alectio_agent.cli.experiment_outcome import print_outcome

    with named_hub(common, **where) as operator:
        view = operator.pause_experiment(name)
    print_outcome(view, common, "no further job is given out")
