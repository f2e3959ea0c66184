"""Lays out `.npz` files without numpy: the same bytes for the same numbers, wherever it runs."""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from typing import Union

from alectio_agent.agent.hooks.child.columns import INTEGER, Column

ALIGNMENT = 64
MEMBER_BYTES = 512
"""More than a member takes beside its numbers, headers and entry in the directory."""

Buffer = Union[bytes, memoryview]

# As zipfile writes them, for stored members made on Unix on the first day that ZIP can tell.
_VERSION, _UNIX, _STORED, _MIDNIGHT, _DAY, _MODE = 20, 3, 0, 0, 0x21, 0o600 << 16
_LOCAL = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


def npz_buffers(
    index: Sequence[int], columns: Sequence[Column], start: int, stop: int
) -> list[Buffer]:
    """One part: an uncompressed `.npz` file with `index` and a member for each column.

    Args:
        index: Samples of all rows.
        columns: Of all rows.
        start: First row of the part.
        stop: Row after the last.

    Returns:
        The whole file in pieces; numbers are not copied. `numpy.load(..., allow_pickle=False)`
        reads it.
    """
    samples = Column("index", INTEGER, memoryview(array("q", index[start:stop])))
    pieces: list[Buffer] = []
    entries, offset = b"", 0
    for column, first in ((samples, 0), *((column, start) for column in columns)):
        name = (column.name + ".npy").encode("ascii")
        header, numbers = _header(column, stop - start), _little(column, first, stop - start)
        size = len(header) + numbers.nbytes
        # Version, flags, method, time, day, check sum, both sizes.
        told = (0, _STORED, _MIDNIGHT, _DAY, zlib.crc32(numbers, zlib.crc32(header)), size, size)
        lead = _LOCAL.pack(b"PK\3\4", _VERSION, *told, len(name), 0) + name + header
        pieces += (lead, numbers)
        made = (_UNIX << 8) | _VERSION
        ends = (len(name), 0, 0, 0, 0, _MODE, offset)
        entries += _ENTRY.pack(b"PK\1\2", made, _VERSION, *told, *ends) + name
        offset += len(lead) + numbers.nbytes
    count = 1 + len(columns)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(entries), offset, 0)
    return [*pieces, entries + end]


def _header(column: Column, count: int) -> bytes:
    """The header of a `.npy` file, version 1.0."""
    shape = (count,) if column.width is None else (count, column.width)
    text = "{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}".format(column.kind, shape)
    # Magic, version and length take 10 bytes; the numbers start at a multiple of 64.
    padding = -(10 + len(text) + 1) % ALIGNMENT
    line = text.encode("ascii") + b" " * padding + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line


def _little(column: Column, first: int, count: int) -> memoryview:
    """The numbers of some rows as they lie in a file."""
    numbers = column.cut(first, first + count)
    if sys.byteorder == "little":
        return numbers.cast("B")
    swapped = array("q" if numbers.itemsize == 8 else "f", numbers.tobytes())
    swapped.byteswap()
    return memoryview(swapped).cast("B")
