"""`experiment rewind`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@experiment_name
@click.option(
    "--loops",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many of the newest loops run again; one that is not done counts as the first.",
)
@hub_options
def rewind(*, name: str, loops: int, common: Common, **where: Any) -> None:
    """Undo the newest loops of NAME, so that they are selected and run again.

    What they gave is kept as void.
    """
    from alectio_agent.cli.experiment_outcome import print_outcome
    from alectio_agent.core.units import count

    with named_hub(common, **where) as operator:
        view = operator.rewind_experiment(name, loops)
    print_outcome(view, common, f"rewound by {count(loops, 'loop')}")
