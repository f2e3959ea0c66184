"""`version`."""

import platform
from importlib.metadata import version as installed_version

import click

from alectio_agent.wire.protocol import PROTOCOL


@click.command
def version() -> None:
    """Print the version of the package, of the protocol and of Python."""
    click.echo(
        f"alectio-agent {installed_version('alectio-agent')}, protocol {PROTOCOL}, "
        f"Python {platform.python_version()}"
    )
