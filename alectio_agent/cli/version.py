"""`version`."""

import json
import platform
from importlib.metadata import version as installed_version

import click

from alectio_agent.cli.options import Common, common_options
from alectio_agent.wire.protocol import PROTOCOL


@click.command
@common_options
def version(*, common: Common) -> None:
    """Print the version of the package, of the protocol and of Python."""
    print_version(common)


def print_version(common: Common) -> None:
    """Print the versions.

    Args:
        common: Whether as JSON.
    """
    found = installed_version("alectio-agent")
    python = platform.python_version()
    if common.as_json:
        click.echo(json.dumps({"version": found, "protocol": PROTOCOL, "python": python}))
    else:
        click.echo(f"alectio-agent {found}, protocol {PROTOCOL}, Python {python}")
