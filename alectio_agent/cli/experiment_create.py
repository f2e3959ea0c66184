"""`experiment create`."""

from pathlib import Path
from typing import Any

import click

from alectio_agent.cli.hub_options import hub_flags, hub_options, named_hub
from alectio_agent.cli.options import Common

COMMAND = "alectio-agent experiment create"


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--new", is_flag=True, help="Make another one beside it, as NAME-2, NAME-3, ...")
@click.option(
    "--update", is_flag=True, help="Let it go on with what FILE says now, from the next loop."
)
@hub_options
def create(*, file: Path, new: bool, update: bool, common: Common, **where: Any) -> None:
    """Create the experiment that FILE (experiment.yaml) describes; again: changes nothing."""
    from alectio_agent.cli.run_experiment import make_experiment, pick_experiment
    from alectio_agent.cli.screen import say
    from alectio_agent.cli.settings import load_experiment_file
    from alectio_agent.core.errors import UsageError

    if new and update:
        raise UsageError("--new and --update contradict each other")
    settings = load_experiment_file(file)
    flags = hub_flags(common, **where)
    with named_hub(common, **where) as operator:
        known = operator.experiments().experiments if new or update else []
        # Without --new just the one of that name is meant: the hub may be shared.
        meant = pick_experiment(known, settings, is_new=True) if new else settings
        view = make_experiment(
            operator,
            meant,
            settings.name,
            is_update=update and settings.name in {found.name for found in known},
            command=f"{COMMAND} {file}{flags}",
        )
    if common.as_json:
        click.echo(view.model_dump_json(indent=2))
        return
    control = f", with its control {view.control}" if view.control else ""
    click.echo(f"{view.name}: {view.state}, {view.settings.loops} loops{control}")
    if view.waits_for:
        say(f"It waits for {view.waits_for}. Go on: alectio-agent run")
    say(f"Watch it: alectio-agent experiment show {view.name}{flags}")
