"""`experiment cancel`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@experiment_name
@hub_options
def cancel(*, name: str, common: Common, **where: Any) -> None:
    """End the experiment NAME for good. Its results stay."""
    from alectio_agent.cli.experiment_outcome import print_outcome

    with named_hub(common, **where) as operator:
        view = operator.cancel_experiment(name)
    print_outcome(view, common, "ended for good, its results stay")
