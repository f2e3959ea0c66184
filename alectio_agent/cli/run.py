"""`run`: the agent; with the hub in the box, the whole experiment."""

from typing import TYPE_CHECKING

import click

from alectio_agent.cli.options import Common, common_options
from alectio_agent.cli.script_options import script_options

if TYPE_CHECKING:
    from alectio_agent.cli.run_script import ScriptRun


@click.command
@click.option(
    "--until-done",
    is_flag=True,
    help="End with the experiment, or when a platform elsewhere has no more work. Default with "
    "the hub in the box.",
)
@click.option("--stay", is_flag=True, help="Stay when the experiment is over, and wait for more.")
@click.option("--once", is_flag=True, help="Take one job, if there is one, then leave.")
@click.option("--max-jobs", type=click.IntRange(1), metavar="N", help="Leave after N jobs.")
@click.option("--new", is_flag=True, help="Start the experiment afresh, as NAME-2, NAME-3, ...")
@click.option(
    "--update", is_flag=True, help="Go on with what experiment.yaml says now, from the next loop."
)
@script_options
@common_options
def run(
    *,
    until_done: bool,
    stay: bool,
    once: bool,
    max_jobs: int | None,
    new: bool,
    update: bool,
    script: "ScriptRun | None",
    common: Common,
) -> None:
    """Run the agent (and, with the hub in the box, the whole experiment)."""
    from alectio_agent.agent.service.memory import end_quickly
    from alectio_agent.cli.run_agent import run_agent
    from alectio_agent.cli.run_wish import Wish

    wish = Wish(until_done, stay, once, max_jobs, new, update)
    code = run_agent(common, wish, script)
    end_quickly()
    raise SystemExit(code)
