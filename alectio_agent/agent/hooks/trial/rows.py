"""Reads the rows of a step's result back, without numpy."""

import gzip
import json
import re
import sys
import zipfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alectio_agent.agent.hooks.steps import StepOutcome

Rows = dict[int, Any]
"""Sample, to its value as in an inline result."""

PAIR = ("prediction", "label")
_SHAPE = re.compile(r"'descr': '<(?P<kind>[if])(?P<bytes>\d)', .*'shape': \((?P<shape>[\d, ]*)\)")
_PREFIX_BYTES = 10
"""Magic, version and length of the header of a `.npy` file."""


def read_rows(outcome: StepOutcome, folder: Path) -> Rows:
    """All rows of a result.

    Args:
        outcome: Of `test` or `infer`.
        folder: Holds its parts.

    Returns:
        Value by sample: `[prediction, label]`, perhaps with a third entry of scores; a list of
        scores; or a dict of fields.
    """
    if outcome.inline is not None:
        return dict(outcome.inline["rows"])
    rows: Rows = {}
    for part in outcome.parts:
        read = _read_npz if part.file.endswith(".npz") else _read_lines
        rows.update(read(folder / part.file))
    return rows


def _read_lines(file: Path) -> Iterator[tuple[int, Any]]:
    with gzip.open(file, "rt", encoding="ascii") as lines:
        for line in lines:
            index, value = json.loads(line)
            yield index, value


def _read_npz(file: Path) -> Iterator[tuple[int, Any]]:
    with zipfile.ZipFile(file) as archive:
        columns = {
            name.removesuffix(".npy"): _read_column(archive.read(name))
            for name in archive.namelist()
        }
    index = columns.pop("index")
    pair = [columns.pop(name) for name in PAIR if name in columns]
    if pair and columns:
        pair.append(_values(columns))
    values = map(list, zip(*pair, strict=True)) if pair else _values(columns)
    return zip(index, values, strict=True)


def _values(columns: dict[str, list[Any]]) -> list[Any]:
    """Rows of fields; of one field the bare rows."""
    if len(columns) == 1:
        return next(iter(columns.values()))
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _read_column(content: bytes) -> list[Any]:
    """A member as `child.npz` writes it: little-endian numbers in one or two dimensions."""
    start = _PREFIX_BYTES + int.from_bytes(content[8:_PREFIX_BYTES], "little")
    found = _SHAPE.search(content[:start].decode("latin-1"))
    assert found is not None  # noqa: S101 - this package wrote the file a moment ago
    numbers = array("q" if found["kind"] == "i" else "f", content[start:])
    if sys.byteorder == "big":
        numbers.byteswap()
    sizes = [int(size) for size in found["shape"].split(",") if size.strip()]
    if len(sizes) == 1:
        return numbers.tolist()
    width = sizes[1]
    return [numbers[at : at + width].tolist() for at in range(0, len(numbers), width)]
