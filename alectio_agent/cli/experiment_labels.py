"""`experiment labels`."""

import click

from alectio_agent.cli.lazy import LazyGroup

COMMANDS = {
    "export": ("alectio_agent.cli.labels_export:export", "Write what people are asked for."),
    "import": ("alectio_agent.cli.labels_import:import_labels", "Bring what they filled in."),
    "status": ("alectio_agent.cli.labels_status:status", "Say how far they are."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS)
def labels() -> None:
    """Labels by people, in CSV files (`labels: {kind: csv}` in experiment.yaml)."""
