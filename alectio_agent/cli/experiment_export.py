"""`experiment export`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.cli.export_files import Progress


@click.command
@experiment_name
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("export"),
    show_default=True,
    help="Folder in which a folder NAME is written.",
)
@click.option("--force", "is_forced", is_flag=True, help="Overwrite files that are there.")
@click.option(
    "--outputs",
    "with_outputs",
    is_flag=True,
    help="Also what the model said about the pool after each loop, which can be large.",
)
@hub_options
def export(
    *, name: str, output: Path, is_forced: bool, with_outputs: bool, common: Common, **where: Any
) -> None:
    """Write the results files of NAME, from any hub, into a folder here."""
    import json

    from alectio_agent.cli.export_files import check_free, fetch_files, find_files

    folder = output / name
    with named_hub(common, needs="viewer", **where) as operator:
        files = find_files(operator, name, with_outputs=with_outputs)
        if not is_forced:
            check_free(folder, files)
        size_bytes = sum(file.bytes for file in files)
        with _progress(name, size_bytes, is_shown=with_outputs and not common.is_quiet) as progress:
            fetch_files(operator, name, files, folder, progress)
    paths = [file.path for file in files]
    if common.as_json:
        told = {"name": name, "files": [str(folder / path) for path in paths]}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(f"{name}: wrote {_listed(paths)} into {folder}")
        if with_outputs and not _outputs(paths):
            click.echo(f"{name}: no outputs yet; no loop's infer has been counted")


def _outputs(paths: list[str]) -> list[str]:
    return [path for path in paths if "/" in path]


def _listed(paths: list[str]) -> str:
    """Such as `a, b and outputs of 3 loops`."""
    count = len(_outputs(paths))
    told = paths[: len(paths) - count]
    if count:
        told = [*told, f"outputs of {count} loop{'s' * (count != 1)}"]
    return f"{', '.join(told[:-1])} and {told[-1]}"


@contextmanager
def _progress(name: str, size_bytes: int, *, is_shown: bool) -> "Iterator[Progress]":
    """Tell how far it is: a bar on a terminal, one line in a pipe."""
    if not is_shown:
        yield lambda _: None
        return
    label = f"{name}: {size_bytes / 1e6:,.1f} MB"
    with click.progressbar(length=size_bytes, label=label, file=sys.stderr) as bar:

        def came(size_bytes: int) -> None:
            bar.update(size_bytes)

        yield came
