"""`service uninstall`."""

from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options
from alectio_agent.cli.screen import say
from alectio_agent.cli.service_install import print_outcome
from alectio_agent.cli.service_options import root_option, unit_option


@click.command
@unit_option
@root_option
@common_options
def uninstall(*, unit: str, root: Path | None, common: Common) -> None:
    """Remove what install wrote. State, results, configuration and token stay.

    Needs root, or --root. Refuses while the service runs: stop it first.
    """
    from alectio_agent.cli.units.installing import uninstall as take_away
    from alectio_agent.cli.units.machine import Machine
    from alectio_agent.cli.units.texts import Unit

    outcome = take_away(Unit(unit), Machine.at(root))
    print_outcome(outcome, common)
    if not outcome.removed and not common.as_json:
        say(f"{unit}: nothing was installed")
