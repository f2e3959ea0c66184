"""`service`: running as a service of systemd."""

import click

from alectio_agent.cli.lazy import LazyGroup

COMMANDS = {
    "install": ("alectio_agent.cli.service_install:install", "Write the unit."),
    "uninstall": ("alectio_agent.cli.service_uninstall:uninstall", "Remove it; keep all state."),
    "print-unit": ("alectio_agent.cli.service_print:print_unit", "Print what install writes."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def service() -> None:
    """Run as a service of systemd. See docs/systemd.md."""
