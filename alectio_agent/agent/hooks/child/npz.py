"""Writes `.npz` files without numpy: the same bytes for the same numbers, wherever it runs."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from array import array
from collections.abc import Sequence

from alectio_agent.agent.hooks.child.columns import INTEGER, Column

EPOCH = (1980, 1, 1, 0, 0, 0)
ALIGNMENT = 64


def npz_bytes(index: Sequence[int], columns: Sequence[Column], start: int, stop: int) -> bytes:
    """One part: an uncompressed `.npz` file with `index` and a member for each column.

    Args:
        index: Samples of all rows.
        columns: Of all rows.
        start: First row of the part.
        stop: Row after the last.

    Returns:
        The whole file; `numpy.load(..., allow_pickle=False)` reads it.
    """
    stream = io.BytesIO()
    samples = memoryview(array("q", index[start:stop]))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, Column("index", INTEGER, samples), 0, stop - start)
        for column in columns:
            _add(archive, column, start, stop)
    return stream.getvalue()


def _add(archive: zipfile.ZipFile, column: Column, start: int, stop: int) -> None:
    member = zipfile.ZipInfo(column.name + ".npy", EPOCH)
    archive.writestr(member, _header(column, stop - start) + _little(column.cut(start, stop)))


def _header(column: Column, count: int) -> bytes:
    """The header of a `.npy` file, version 1.0."""
    shape = (count,) if column.width is None else (count, column.width)
    text = "{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}".format(column.kind, shape)
    # Magic, version and length take 10 bytes; the numbers start at a multiple of 64.
    padding = -(10 + len(text) + 1) % ALIGNMENT
    line = text.encode("ascii") + b" " * padding + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line


def _little(numbers: memoryview) -> bytes:
    if sys.byteorder == "little":
        return numbers.tobytes()
    swapped = array("q" if numbers.itemsize == 8 else "f", numbers.tobytes())
    swapped.byteswap()
    return swapped.tobytes()
