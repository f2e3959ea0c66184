"""`hub`: commands about a platform of one's own."""

import click

from alectio_agent.cli.lazy import LazyGroup

COMMANDS = {
    "serve": ("alectio_agent.cli.hub_serve:serve", "Serve a hub from a folder."),
    "token": ("alectio_agent.cli.hub_token:token", "Make, list, revoke tokens."),
    "agents": ("alectio_agent.cli.hub_agents:agents", "List agents, forget those that are gone."),
    "backup": ("alectio_agent.cli.hub_backup:backup", "Copy a hub's folder while it runs."),
    # Started by `run`, never by people: an empty line hides it.
    "embedded": ("alectio_agent.cli.hub_embedded:embedded", ""),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def hub() -> None:
    """Serve a platform of your own."""
