"""`jobs`: what this agent has worked on, from its journal; or the open jobs of a hub."""

from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options


@click.command
@click.option(
    "-n",
    "--number",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of the newest.",
)
@click.option("--hub", metavar="URL", help="List all open jobs of this hub instead.")
@click.option(
    "--token-file",
    envvar="ALECTIO_HUB_TOKEN_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="File with a token for that hub.",
)
@common_options
def jobs(*, number: int, hub: str | None, token_file: Path | None, common: Common) -> None:
    """List the jobs of this agent, the newest last, also while it does not run.

    What failed is told with its message and what to do. Nothing is changed. With --hub the jobs
    of all agents that are not done.
    """
    if hub is not None:
        from alectio_agent.cli.hub_jobs import list_hub_jobs

        list_hub_jobs(common, hub, token_file, number)
    else:
        from alectio_agent.cli.agent_jobs import list_agent_jobs

        list_agent_jobs(common, number)
