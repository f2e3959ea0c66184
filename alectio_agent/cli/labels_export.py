"""`experiment labels export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.wire.labels import LabelQueue

STDOUT = Path("-")


@click.command
@experiment_name
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=STDOUT,
    show_default=True,
    help="File to write; - is stdout.",
)
@click.option("--all", "is_whole", is_flag=True, help="Also samples that came back already.")
@click.option("--force", "is_forced", is_flag=True, help="Overwrite a file that is there.")
@hub_options
def export(
    *,
    name: str,
    output: Path,
    is_whole: bool,
    is_forced: bool,
    common: Common,
    **where: Any,
) -> None:
    """Write the samples of NAME that people are asked for, as CSV to fill in.

    Fill in the column `label`: a class, or - for a sample that cannot be labelled; empty is not
    done yet. Then bring it with `experiment labels import`.
    """
    from alectio_agent.cli.screen import say
    from alectio_agent.wire.label_files import without_labels, write_labels

    if not is_forced:
        _check_free(output)
    with named_hub(common, needs="viewer", **where) as operator:
        queue = operator.labels(name, is_whole=is_whole)
    if not is_whole:
        queue = without_labels(queue)
    text = write_labels(queue.samples, has_classes=queue.classes is not None)
    told = f"{name}: {_samples(queue)}"
    if output == STDOUT:
        click.echo(queue.model_dump_json(indent=2) if common.as_json else text, nl=common.as_json)
        if not common.is_quiet:
            say(told)
        return
    if not queue.samples:
        told = f"{told}; nothing was written"
    else:
        _write(output, text)
        told = f"{told}, written into {output}"
    if common.as_json:
        click.echo(queue.model_dump_json(indent=2))
    else:
        click.echo(told)
    if queue.samples and not is_whole and not common.is_quiet:
        say(
            "Fill in the column `label` (- for what cannot be labelled), then: "
            f"alectio-agent experiment labels import {name} {output}"
        )


def _samples(queue: "LabelQueue") -> str:
    """How many samples, and of which loops."""
    from alectio_agent.core.units import count

    if not queue.samples:
        return "no samples are asked for"
    loops = sorted({sample.loop for sample in queue.samples})
    which = f"loop {loops[0]}" if len(loops) == 1 else f"loops {loops[0]} to {loops[-1]}"
    return f"{count(len(queue.samples), 'sample')} of {which}"


def _check_free(output: Path) -> None:
    """Labels that somebody filled in must not be lost."""
    from alectio_agent.core.errors import UsageError

    if output != STDOUT and output.exists():
        raise UsageError(
            f"{output}: there already, perhaps with labels in it. Nothing was written",
            hint="Overwrite: --force. Write elsewhere: --output FILE.",
            code="E-EXP-11",
        )


def _write(output: Path, text: str) -> None:
    from alectio_agent.core.errors import StoreError

    temporary = output.with_name(f".{output.name}.new")
    try:
        temporary.write_text(text, "utf-8", newline="")
        temporary.replace(output)
    except OSError as error:
        raise StoreError(f"{output}: {error.strerror or error}") from error
