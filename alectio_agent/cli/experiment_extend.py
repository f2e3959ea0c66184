"""`experiment extend`."""

from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

BESIDE = (
    "With the hub in the box: raise pool_size, then alectio-agent run --stay in one terminal, and "
    "this command in another."
)


@click.command
@experiment_name
@click.option("--pool", type=click.IntRange(min=1), help="The new number of samples.")
@click.option("--loops", type=click.IntRange(min=1), help="The new number of loops.")
@hub_options
def extend(*, name: str, pool: int | None, loops: int | None, common: Common, **where: Any) -> None:
    """Let NAME have more samples, more loops, or both.

    Without --pool and --loops the pool grows to what the agents offer.
    """
    from alectio_agent.cli.experiment_outcome import print_outcome
    from alectio_agent.cli.screen import say
    from alectio_agent.core.errors import UsageError
    from alectio_agent.core.units import count

    try:
        with named_hub(common, **where) as operator:
            view = operator.extend_experiment(name, pool, loops)
    except UsageError as error:
        is_about_pool = error.code == "E-EXP-10" and "found loops" not in error.message
        if is_about_pool and not error.hint:
            error.hint = BESIDE
        raise
    samples = f"has {count(view.pool or 0, 'sample')} and {count(view.settings.loops, 'loop')} now"
    print_outcome(view, common, samples)
    if loops is not None and not common.is_quiet:
        say(f"Write `loops: {loops}` into experiment.yaml too, or `run` will find that it differs.")
