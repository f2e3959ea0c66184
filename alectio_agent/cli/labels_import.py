"""`experiment labels import`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alectio_agent.cli.experiment_name import experiment_name
from alectio_agent.cli.hub_options import hub_options, named_hub
from alectio_agent.cli.options import Common

if TYPE_CHECKING:
    from alectio_agent.agent.client.operation import OperationClient
    from alectio_agent.core.errors import UsageError
    from alectio_agent.wire.label_files import LabelFile
    from alectio_agent.wire.labels import LabelsImported

STDIN = Path("-")


@click.command("import")
@experiment_name
@click.argument("file", type=click.Path(path_type=Path))
@hub_options
def import_labels(*, name: str, file: Path, common: Common, **where: Any) -> None:
    """Bring the labels in FILE (- is stdin) to NAME: all of them, or none when a row is wrong.

    The file needs a heading with `index` and `label`; `annotator` and `seconds` are kept when they
    are there. Rows without a label are not done yet. What is known already is unchanged.
    """
    from alectio_agent.cli.labels_outcome import print_import
    from alectio_agent.wire.label_files import read_labels

    found = read_labels(_content(file))
    with named_hub(common, **where) as operator:
        done = _bring(operator, name, file, found)
    print_import(name, done, found.blank, common)


def _bring(
    operator: "OperationClient", name: str, file: Path, found: "LabelFile"
) -> "LabelsImported":
    from alectio_agent.core.errors import PlatformRejectedError
    from alectio_agent.wire.labels import LabelImport

    # When the file is wrong already, the hub only says what it finds: all mistakes at once.
    said = LabelImport(rows=found.rows, only_check=bool(found.problems))
    try:
        done = operator.import_labels(name, said)
    except PlatformRejectedError as error:
        rows = error.detail.get("rows")
        if error.code != "E-EXP-12" or not isinstance(rows, list):
            raise
        raise _wrong(name, file, found, rows, error.detail.get("wrong_rows")) from error
    if found.problems:
        raise _wrong(name, file, found, [], 0)
    return done


def _wrong(
    name: str, file: Path, found: "LabelFile", rows: list[dict[str, Any]], count: object
) -> "UsageError":
    """Everything that is wrong with a file, by the hub and without it."""
    from alectio_agent.core.errors import UsageError

    shown = "stdin" if file == STDIN else str(file)
    wrong = found.wrong(rows, count)
    lines = [f"{shown}:{each.line} {each.text}" for each in wrong.problems]
    lines += [f"and {wrong.untold:,} more"] if wrong.untold else []
    return UsageError(
        "\n".join([f"{shown}: {wrong.title}", *lines]),
        hint=f"A file that fits: alectio-agent experiment labels export {name} --output FILE",
        code="E-EXP-12",
    )


def _content(file: Path) -> bytes:
    from alectio_agent.core.errors import UsageError

    try:
        if file == STDIN:
            return sys.stdin.buffer.read()
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file}: {error.strerror or error}; expected a CSV file of labels", code="E-EXP-12"
        ) from error
