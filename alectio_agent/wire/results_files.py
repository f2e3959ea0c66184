"""The files that are made of an experiment, under the same paths on every hub."""

import re
from mimetypes import guess_type
from typing import Annotated

from pydantic import Field, StringConstraints

from alectio_agent.wire.names import ExperimentName
from alectio_agent.wire.records import Record

SMALL_FILES = ("experiment.json", "loops.csv", "classes.csv", "selected.csv", "report.html")
"""Those that every experiment has from its beginning on; the first one is made first."""

OUTPUTS = "outputs"
"""Folder of what the model said about the pool, a file for each loop."""

FILE_PATTERN = r"^(?:outputs/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
"""Leads nowhere but below the experiment's folder, also where a hub's answer is written to."""

_MEDIA_TYPES = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".html": "text/html",
    ".npz": "application/x-npz",
    ".gz": "application/gzip",
}


class ResultsFile(Record):
    """One file.

    Attributes:
        path: Below the experiment, such as `outputs/loop_3.npz`.
        modified_at: RFC 3339.
    """

    path: Annotated[str, StringConstraints(pattern=FILE_PATTERN)]
    bytes: Annotated[int, Field(ge=0)]
    modified_at: str


class ResultsFiles(Record):
    """`GET /results/{experiment}/`: what there is to read, sorted by path, loops by number."""

    experiment: ExperimentName
    files: list[ResultsFile]


def in_order(path: str) -> list[str | int]:
    """What to sort paths by, so that loop 10 comes after loop 2.

    Args:
        path: Such as `outputs/loop_10.npz`.
    """
    # Texts and numbers take turns, so that like is compared with like.
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", path)]


def media_type_of(path: str) -> str:
    """What a results file is sent as, whatever the machine knows about endings.

    Args:
        path: Its name.
    """
    ending = path[path.rfind(".") :] if "." in path else ""
    return _MEDIA_TYPES.get(ending) or guess_type(path)[0] or "application/octet-stream"
