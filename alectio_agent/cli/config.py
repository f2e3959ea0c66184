"""`config`: commands about the two files."""

import click

from alectio_agent.cli.lazy import LazyGroup

COMMANDS = {
    "show": ("alectio_agent.cli.config_show:show", "Print all values in force."),
    "schema": ("alectio_agent.cli.config_schema:schema", "Print the schema of a file."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def config() -> None:
    """Show what is configured, and what can be."""
