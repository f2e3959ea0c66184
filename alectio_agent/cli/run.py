"""`run`: the agent; with the hub in the box, the whole experiment."""

from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common, common_options
from alectio_agent.cli.script_options import script_options

if TYPE_CHECKING:
    from alectio_agent.cli.run_script import ScriptRun


@click.command
@click.option(
    "--until-done/--no-until-done",
    default=None,
    help="End with the experiment. Default with the hub in the box.",
)
@script_options
@common_options
def run(*, until_done: bool | None, script: "ScriptRun | None", common: Common) -> None:
    """Run the agent (and, with the hub in the box, the whole experiment)."""
    from alectio_agent.cli.run_agent import run_agent

    raise SystemExit(run_agent(common, until_done=until_done, script=script))
