"""`outbox`: the results on disk."""

import click

from alectio_agent.cli.lazy import LazyGroup

COMMANDS = {
    "list": ("alectio_agent.cli.outbox_list:list_results", "What waits, and what was refused."),
    "retry": ("alectio_agent.cli.outbox_retry:retry", "Send it now, what was refused too."),
    "export": ("alectio_agent.cli.outbox_export:export", "Write what waits into one file."),
    "import": (
        "alectio_agent.cli.outbox_import:import_file",
        "Deliver such a file; take a receipt.",
    ),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def outbox() -> None:
    """Look after the results on disk, and carry them over an air gap by hand."""
