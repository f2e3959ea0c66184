"""Reads an `experiment.json` that was exported from any hub."""

import json
from pathlib import Path
from typing import Any

from alectio_agent.core.errors import UsageError
from alectio_agent.report.page import Told


def read_exported(file: Path) -> Told:
    """An exported experiment; its control is taken from the folder beside it.

    Args:
        file: An `experiment.json`.

    Returns:
        What it tells, with its folder as the source.

    Raises:
        UsageError: There is no such file, or it holds something else.
    """
    document = _read(file)
    control, name = None, document.get("control")
    if isinstance(name, str):
        beside = file.parent.parent / Path(name).name / file.name
        control = _read(beside) if beside.is_file() else None
    return Told(document, control, source=str(file.parent))


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}", code="E-EXP-01") from error
    except ValueError as error:
        raise _no_experiment(file, f"no JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("loops"), list):
        raise _no_experiment(file, "JSON without `loops`")
    if not isinstance(found.get("name"), str):
        raise _no_experiment(file, "JSON without `name`")
    return found


def _no_experiment(file: Path, found: str) -> UsageError:
    return UsageError(
        f"{file}: found {found}; expected an experiment.json of a hub",
        hint="Get one: alectio-agent experiment export NAME",
        code="E-EXP-01",
    )
