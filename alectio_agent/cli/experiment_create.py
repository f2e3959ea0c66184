"""`experiment create`."""

from pathlib import Path
from typing import Any

import click

from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@hub_options
def create(*, file: Path, common: Common, **where: Any) -> None:
    """Create the experiment that FILE (experiment.yaml) describes; again: changes nothing."""
    from alectio_agent.cli.settings import load_experiment_file

    settings = load_experiment_file(file)
    with named_hub(common, **where) as operator:
        view = operator.create_experiment(settings)
    if common.as_json:
        click.echo(view.model_dump_json(indent=2))
        return
    control = f", with its control {view.control}" if view.control else ""
    click.echo(f"{view.name}: {view.state}, {view.settings.loops} loops{control}")
    if view.waits_for:
        click.echo(f"It waits for {view.waits_for}. Go on: alectio-agent run", err=True)
    click.echo(f"Watch it: alectio-agent experiment show {view.name}", err=True)
