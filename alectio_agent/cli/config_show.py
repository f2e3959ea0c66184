"""`config show`."""

import json
import os
from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options
from alectio_agent.cli.screen import say


@click.command
@click.option("--origin", is_flag=True, help="Say behind each value where it comes from.")
@common_options
def show(*, origin: bool, common: Common) -> None:
    """Print every key of agent.yaml with the value in force: a flag beats the environment, the
    environment the file, the file the default.

    What it prints loads again. Values of `env` are masked; tokens are never printed.
    """  # noqa: D205 - the first paragraph is what `--help` shows
    from alectio_agent.config.effective import as_yaml, effective_values, origins
    from alectio_agent.config.loader import load_layers
    from alectio_agent.config.lookup import find_config, named_by
    from alectio_agent.config.settings import AgentFile

    file = find_config(common.config, os.environ, Path.cwd())
    if not common.is_quiet:
        say(f"configuration: {file} ({named_by(common.config, os.environ)})")
    settings, layers = load_layers(file, AgentFile, os.environ)
    values = effective_values(settings)
    found = origins(values, layers, os.environ) if origin else None
    if not common.as_json:
        click.echo(as_yaml(values, found), nl=False)
        return
    shown = values if found is None else {"values": values, "origins": found}
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
