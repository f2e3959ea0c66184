"""`service install`."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common, common_options
from alectio_agent.cli.screen import say
from alectio_agent.cli.service_options import plan_options

if TYPE_CHECKING:
    from alectio_agent.cli.units.installing import Outcome
    from alectio_agent.cli.units.plan import Plan


@click.command
@plan_options
@common_options
def install(*, plan: "Plan", common: Common) -> None:
    """Write the unit into /etc/systemd/system; with options also a drop-in, a line for each.

    Needs root, or --root. Replaces what an earlier install wrote, so give all options each time;
    starts and restarts nothing. A unit that a package brought stays, and gets the drop-in only.
    """
    from alectio_agent.cli.units.installing import install as put
    from alectio_agent.cli.units.machine import Machine

    print_outcome(put(plan, Machine.at(None if str(plan.root) == "/" else plan.root)), common)


def print_outcome(outcome: "Outcome", common: Common) -> None:
    """Print what was done, and what comes next.

    Args:
        outcome: Of an install or an uninstall.
        common: The options of every command.
    """
    if common.as_json:
        click.echo(json.dumps(asdict(outcome), indent=2))
        return
    for verb, paths in (("wrote", outcome.written), ("removed", outcome.removed)):
        for path in paths:
            click.echo(f"{verb} {path}")
    if outcome.kept:
        say(outcome.kept)
    for warning in outcome.warnings:
        say(f"! {warning}")
    if outcome.next and not common.is_quiet:
        say("Next:")
        for command in outcome.next:
            say(f"  {command}")
