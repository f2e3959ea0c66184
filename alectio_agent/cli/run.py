"""`run`: the agent; with the hub in the box, the whole experiment."""

from pathlib import Path

import click


@click.command
@click.option("-c", "--config", type=click.Path(path_type=Path), help="The agent.yaml to use.")
@click.option(
    "--until-done/--no-until-done",
    default=None,
    help="End with the experiment. Default with the hub in the box.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only warnings, errors and the final table.")
def run(*, config: Path | None, until_done: bool | None, quiet: bool) -> None:
    """Run the agent (and, with the hub in the box, the whole experiment)."""
    from alectio_agent.cli.run_agent import run_agent

    raise SystemExit(run_agent(config, until_done=until_done, quiet=quiet))
