"""`experiment`: commands about experiments on a hub."""

import click

from alectio_agent.cli.lazy import LazyGroup

COMMANDS = {
    "create": ("alectio_agent.cli.experiment_create:create", "Create one from its file."),
    "list": ("alectio_agent.cli.experiment_list:list_experiments", "List all."),
    "show": ("alectio_agent.cli.experiment_show:show", "Show one, loop by loop."),
    "diff": ("alectio_agent.cli.experiment_diff:diff", "Say what changed between two loops."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def experiment() -> None:
    """Create, list and show experiments on the hub that `-c`, `--hub` or $ALECTIO_HUB names."""
