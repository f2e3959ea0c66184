"""What an import of labels did, and what happens now."""

import click

from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say
from alectio_agent.core.units import count
from alectio_agent.wire.label_words import what_now
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
    there = "no sample is asked for yet"
    if done.loop is not None:
        there = f"{done.missing:,} of {count(done.asked, 'sample')} of loop {done.loop} are missing"
    click.echo(
        f"{name}: {done.new:,} new, {done.corrected:,} corrected, {done.unchanged:,} unchanged, "
        f"{done.excluded:,} excluded; {there}"
    )
    if not common.is_quiet:
        for line in what_now(name, done, blank):
            say(line)
