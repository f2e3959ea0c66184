"""What an import of labels did, and what happens now."""

import click

from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say
from alectio_agent.wire.label_words import what_came, what_now
from alectio_agent.wire.labels import LabelsImported


def print_import(name: str, done: LabelsImported, blank: int, common: Common) -> None:
    """Print one line on stdout, and beside it what happens now.

    Args:
        name: Of the experiment.
        done: What the hub answered.
        blank: Rows of the file without a label.
        common: Whether to print JSON.
    """
    if common.as_json:
        click.echo(done.model_dump_json(indent=2))
        return
    click.echo(f"{name}: {what_came(done)}")
    if not common.is_quiet:
        for line in what_now(name, done, blank):
            say(line)
