"""`experiment`: commands about experiments on a hub."""

import click

from alectio_agent.cli.lazy import LazyGroup

COMMANDS = {
    "create": ("alectio_agent.cli.experiment_create:create", "Create one from its file."),
    "list": ("alectio_agent.cli.experiment_list:list_experiments", "List all."),
    "show": ("alectio_agent.cli.experiment_show:show", "Show one, loop by loop."),
    "pause": ("alectio_agent.cli.experiment_pause:pause", "Give out no further job."),
    "resume": ("alectio_agent.cli.experiment_resume:resume", "Go on after a pause."),
    "cancel": ("alectio_agent.cli.experiment_cancel:cancel", "End one for good."),
    "retry": ("alectio_agent.cli.experiment_retry:retry", "Try again what waits for a person."),
    "rewind": ("alectio_agent.cli.experiment_rewind:rewind", "Run the newest loops again."),
    "reassign": ("alectio_agent.cli.experiment_reassign:reassign", "Offer a job to any agent."),
    "extend": ("alectio_agent.cli.experiment_extend:extend", "More samples, more loops."),
    "export": ("alectio_agent.cli.experiment_export:export", "Write its results files here."),
    "labels": ("alectio_agent.cli.experiment_labels:labels", "Bring labels by people."),
    "report": ("alectio_agent.cli.experiment_report:report", "Get its report."),
    "compare": ("alectio_agent.cli.experiment_compare:compare", "Put several into one page."),
    "diff": ("alectio_agent.cli.experiment_diff:diff", "Say what changed between two loops."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def experiment() -> None:
    """Create, show and steer experiments on the hub that `-c`, `--hub` or $ALECTIO_HUB names."""
