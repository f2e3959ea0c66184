"""`experiment retry`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@experiment_name
@click.option(
    "--step",
    type=click.Choice(["train"]),
    help="Train that loop again too, for a fault of train that shows in a later step.",
)
@hub_options
def retry(*, name: str, step: str | None, common: Common, **where: Any) -> None:
    """Try again what waits for a person in NAME, from the step that failed."""
    from alectio_agent.cli.experiment_outcome import print_outcome

    with named_hub(common, **where) as operator:
        view = operator.retry_experiment(name, is_from_train=step == "train")
    print_outcome(view, common, "trains again" if step else "tries again from where it failed")
