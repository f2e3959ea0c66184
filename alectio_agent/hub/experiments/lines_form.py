"""The lines of a gzipped part, unpacked piece by piece and never all in memory."""

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any, NoReturn

from alectio_agent.hub.experiments.part_reading import LARGEST_INDEX, BadPartError, Contents
from alectio_agent.wire.protocol import MAX_PART_BYTES

LARGEST_TEXT_BYTES = MAX_PART_BYTES
LARGEST_LINE_BYTES = MAX_PART_BYTES // 2
PARSED_LINE_BYTES = 2**20
"""A longer line is only looked at from both ends: its objects would take ten times its size."""
PIECE_BYTES = 2**16
GZIP_WBITS = 31

_ENDS = re.compile(rb"\[\s*([0-9]{1,16})\s*,.*\]\s*", re.DOTALL)


def read_lines_form(file: IO[bytes]) -> Contents:
    """What a part of lines holds.

    Args:
        file: Opened to read.

    Raises:
        BadPartError: It is not what this protocol takes; the text says where and why.
        OSError: The disk refuses.
    """
    rows, digest = 0, hashlib.sha256()
    for piece in lines_index(file):
        digest.update(piece)
        rows += len(piece) // 8
    return Contents(rows, digest.hexdigest())


def lines_index(file: IO[bytes]) -> Iterator[bytes]:
    """The sample indices of a part of lines, each of which is looked at.

    Args:
        file: Opened to read.

    Yields:
        Eight bytes for each, many at a time.

    Raises:
        BadPartError: It is not what this protocol takes; the text says where and why.
        OSError: The disk refuses.
    """
    decode = json.JSONDecoder(parse_constant=_refuse).decode
    number = 0
    for lines in _lines(file):
        found = [_index_of(line, at, decode) for at, line in enumerate(lines, number + 1)]
        number += len(lines)
        yield struct.pack(f"<{len(found)}Q", *found)


def _index_of(line: bytes, number: int, decode: Any) -> int:
    if len(line) > PARSED_LINE_BYTES:
        ends = _ENDS.fullmatch(line)
        row: Any = [int(ends[1]), None] if ends else None
    else:
        try:
            row = decode(line.decode())
        except (ValueError, RecursionError) as error:
            raise BadPartError(f"line {number:,} is no JSON: {error}") from error
    if not (isinstance(row, list) and len(row) == 2 and type(row[0]) is int):
        raise BadPartError(f"line {number:,} is no `[index, value]`")
    if not 0 <= row[0] <= LARGEST_INDEX:
        raise BadPartError(f"line {number:,}: found index {row[0]}")
    return int(row[0])


def _lines(file: IO[bytes]) -> Iterator[list[bytes]]:
    begun, number = bytearray(), 0
    for piece in _unpacked(file):
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = bytes(begun) + lines[0]
            number += len(lines)
            yield lines
            begun.clear()
        begun += rest
        if len(begun) > LARGEST_LINE_BYTES:
            raise BadPartError(f"line {number + 1:,} is longer than {LARGEST_LINE_BYTES:,} bytes")
    if begun:
        yield [bytes(begun)]


def _unpacked(file: IO[bytes]) -> Iterator[bytes]:
    stream, size, packed = zlib.decompressobj(GZIP_WBITS), 0, b""
    while not stream.eof:
        packed = stream.unconsumed_tail or file.read(PIECE_BYTES)
        if not packed:
            raise BadPartError("its gzip stream is cut short")
        try:
            piece = stream.decompress(packed, PIECE_BYTES)
        except zlib.error as error:
            raise BadPartError(f"it is no gzip: {error}") from error
        size += len(piece)
        if size > LARGEST_TEXT_BYTES:
            raise BadPartError(f"its lines take more than {LARGEST_TEXT_BYTES:,} bytes")
        yield piece
    if stream.unused_data or file.read(1):
        raise BadPartError("it goes on behind its gzip stream")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
