"""`experiment show`."""

from pathlib import Path
from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@experiment_name
@hub_options
def show(*, name: str, common: Common, **where: Any) -> None:
    """Show the experiment NAME, loop by loop."""
    from alectio_agent.cli.experiment_outcome import labels_mend
    from alectio_agent.cli.experiment_table import print_experiment
    from alectio_agent.cli.screen import say

    with named_hub(common, needs="viewer", **where) as operator:
        view = operator.experiment(name)
        control = operator.experiment(view.control) if view.control else None
    if common.as_json:
        click.echo(view.model_dump_json(indent=2))
        return
    if where["hub"] and view.results and not Path(view.results).exists():
        # A folder of the hub's machine is of no use here.
        view = view.model_copy(update={"results": f"alectio-agent experiment export {name}"})
    print_experiment(view, control)
    if view.state == "running" and view.loops and view.loops[-1].state == "labelling":
        say(f"Go on: {labels_mend(name, view.loops[-1].loop)}")
    for shown in (view, control):
        if shown is not None and shown.state == "waiting":
            say(
                f"Mend it, then: alectio-agent experiment retry {shown.name}\n"
                "With the hub in the box: alectio-agent run"
            )
