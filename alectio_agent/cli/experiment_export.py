"""`experiment export`."""

from pathlib import Path
from typing import Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

FILES = ("experiment.json", "loops.csv")


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
@hub_options
def export(*, name: str, output: Path, is_forced: bool, common: Common, **where: Any) -> None:
    """Write the results files of NAME, from any hub, into a folder here."""
    import json

    folder = output / name
    if not is_forced:
        _check_free(folder)
    with named_hub(common, **where) as operator:
        operator.experiment(name)  # a name that is unknown is told as such, not as a missing file
        # All are there before the first is written: half an export would look like a whole one.
        contents = {file: operator.results_file(name, file) for file in FILES}
    _write(folder, contents)
    if common.as_json:
        files = [str(folder / file) for file in FILES]
        click.echo(json.dumps({"name": name, "files": files}, indent=2))
    else:
        click.echo(f"{name}: wrote {' and '.join(FILES)} into {folder}")


def _check_free(folder: Path) -> None:
    from alectio_agent.core.errors import UsageError

    there = [str(folder / file) for file in FILES if (folder / file).exists()]
    if there:
        raise UsageError(
            f"{', '.join(there)}: there already. Nothing was written",
            hint="Overwrite: --force. Write elsewhere: --output FOLDER.",
            code="E-EXP-11",
        )


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    from alectio_agent.core.errors import StoreError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in contents.items():
            temporary = folder / f".{file}.new"
            temporary.write_bytes(content)
            temporary.replace(folder / file)
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror or error}") from error
