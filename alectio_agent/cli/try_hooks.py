"""`try`: one small loop through the hooks."""

from pathlib import Path

import click

from alectio_agent.cli.options import Common, common_options


@click.command("try")
@click.option(
    "--step",
    type=click.Choice(["train", "test", "infer"]),
    help="Only this one, and what it needs.",
)
@click.option("--pipeline", metavar="NAME", help="Default: the one that the experiment names.")
@click.option(
    "--experiment",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What is asked of the hooks. Default: `experiment` of agent.yaml.",
)
@click.option("--pdb", "is_debugged", is_flag=True, help="Open the debugger where a hook raises.")
@click.option("--full", "is_full", is_flag=True, help="Repeat train even when it takes minutes.")
@common_options
def try_hooks(
    *,
    step: str | None,
    pipeline: str | None,
    experiment: Path | None,
    is_debugged: bool,
    is_full: bool,
    common: Common,
) -> None:
    """Run one small loop through the hooks, without a hub, and check what they return.

    What shows only the second time is checked too: that test and infer load the checkpoint, that
    rows belong to their samples, that a second experiment starts from nothing. A running agent,
    its checkpoints and results are not touched.
    """
    from alectio_agent.cli.trial import try_hooks_of
    from alectio_agent.cli.trial_order import Wanted

    wanted = Wanted(step, pipeline, experiment, is_debugged, is_full)
    raise SystemExit(try_hooks_of(wanted, common))
