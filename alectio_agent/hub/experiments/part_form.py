"""What a part of a result turns out to hold, whatever its sender says of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.experiments.lines_form import lines_index, read_lines_form
from alectio_agent.hub.experiments.npz_form import npz_index, read_npz_form
from alectio_agent.hub.experiments.part_reading import BadPartError, Contents
from alectio_agent.wire.protocol import NDJSON_MEDIA_TYPE, NPZ_MEDIA_TYPE

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"


@dataclass(frozen=True)
class PartForm:
    """What a part holds.

    Attributes:
        media_type: By its first bytes; empty when they are of no known kind.
        contents: None when it cannot be used.
        problem: Why not.
    """

    media_type: str
    contents: Contents | None = None
    problem: str = ""


def read_form(part: Path) -> PartForm:
    """Look into a part: all of its lines, or all headers and the index of its arrays.

    Args:
        part: A file that does not change.

    Raises:
        StoreError: The disk refuses.
    """
    try:
        with part.open("rb") as file:
            media_type = _sniff(file)
            if not media_type:
                return PartForm("", problem="it is neither an .npz file nor gzip")
            read = read_npz_form if media_type == NPZ_MEDIA_TYPE else read_lines_form
            try:
                return PartForm(media_type, read(file))
            except BadPartError as error:
                return PartForm(media_type, problem=str(error))
    except OSError as error:
        raise StoreError(f"{part}: {error.strerror or error}") from error


def read_indices(part: Path) -> Iterator[bytes]:
    """The sample indices of a part whose form was found to be good.

    Args:
        part: A file that has not changed since.

    Yields:
        Eight bytes for each, little-endian, many at a time.

    Raises:
        StoreError: The disk refuses.
    """
    try:
        with part.open("rb") as file:
            yield from npz_index(file) if _sniff(file) == NPZ_MEDIA_TYPE else lines_index(file)
    except OSError as error:
        raise StoreError(f"{part}: {error.strerror or error}") from error


def _sniff(file: IO[bytes]) -> str:
    start = file.read(len(_ZIP))
    file.seek(0)
    if start == _ZIP:
        return NPZ_MEDIA_TYPE
    return NDJSON_MEDIA_TYPE if start.startswith(_GZIP) else ""
