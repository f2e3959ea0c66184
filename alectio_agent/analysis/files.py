"""Reads a step's result part by part: inline rows, `.npz` files, or gzipped lines of JSON."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alectio_agent.analysis.npz import read_npz
from alectio_agent.core.errors import ScoresError

NPZ = "application/x-npz"
NDJSON = "application/x-ndjson"

Rows = Sequence[Sequence[Any]]
"""`[index, value]` each."""

Fields = Mapping[str, Any]
"""One part: field name to an array or a list, a value per row; `index` is among them."""

FieldsOf = Callable[[list[Any]], Fields]
"""Turns the values of JSON rows into named fields."""


@dataclass(frozen=True)
class ResultFiles:
    """Where a step's result lies.

    Attributes:
        media_type: Of the parts.
        parts: Files, in order.
        rows: Inline rows; None when there are parts.
    """

    media_type: str
    parts: tuple[Path, ...] = ()
    rows: Rows | None = None


def read_blocks(result: ResultFiles, fields_of: FieldsOf) -> Iterator[tuple[str, Fields]]:
    """Every part of a result that has rows.

    Args:
        result: Of any step but `train`.
        fields_of: What the values of JSON rows mean.

    Yields:
        The place that messages name, and the fields.

    Raises:
        ScoresError: A part is missing, damaged, or of another form than its media type says.
    """
    if result.rows is not None:
        inline = _from_rows("the result", result.rows, fields_of)
        if len(inline["index"]):
            yield "the result", inline
        return
    for path in result.parts:
        fields = _read_part(path, result.media_type, fields_of)
        if len(fields["index"]):
            yield str(path), fields


def _read_part(path: Path, media_type: str, fields_of: FieldsOf) -> Fields:
    if media_type == NPZ:
        fields = read_npz(path)
        if "index" not in fields or fields["index"].ndim != 1:
            raise ScoresError(f"{path}: expected a one-dimensional array named `index`")
        return fields
    if media_type == NDJSON:
        return _from_rows(str(path), _read_lines(path), fields_of)
    raise ScoresError(f"{path}: media type {media_type!r} is unknown; expected {NPZ} or {NDJSON}")


def _read_lines(path: Path) -> Rows:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ScoresError(f"{path}: no readable gzipped lines of JSON ({error})") from error


def _from_rows(place: str, rows: Rows, fields_of: FieldsOf) -> Fields:
    try:
        index = np.array([row[0] for row in rows] or np.empty(0, np.int64))
        fields = fields_of([row[1] for row in rows]) if rows else {}
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise ScoresError(f"{place}: rows of different or unknown forms ({error!r})") from error
    return {"index": index, **fields}
