"""Writes a checked result: inline when it is small, else as files of at most about 4 MiB each."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Optional

from alectio_agent.agent.hooks.child.constants import (
    INLINE_BYTES,
    JSON_MEDIA_TYPE,
    MAX_PART_BYTES,
    NDJSON_MEDIA_TYPE,
    NPZ_MEDIA_TYPE,
    PART_BYTES,
)
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.npz import MEMBER_BYTES, Buffer, npz_buffers
from alectio_agent.agent.hooks.child.results import Result

Part = tuple[Sequence[Buffer], int]
"""Content of a file in pieces, and its number of rows."""

OnPart = Callable[[dict[str, Any]], None]
OnRefused = Callable[[Path, OSError], None]

ROWS_AT_ONCE = 256
ROWS_TO_TEXT = 32
WAITED_FOR = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EROFS,
    errno.ESTALE,
    errno.ETIMEDOUT,
)
"""What a disk may say and take back later: the result is kept for as long as that takes."""
GZIP_BITS = 31


class PartWriter:
    """Makes files durable in one folder; a disk that refuses is waited for, with all in memory."""

    def __init__(self, folder: Path, on_refused: OnRefused, on_part: OnPart) -> None:
        """Name the folder.

        Args:
            folder: Exists; gets the files.
            on_refused: Called with the path and what the disk said; waits, then the write is tried
                again.
            on_part: Told of each file as soon as its content is durable, see `write`.
        """
        self._folder = folder
        self._on_refused = on_refused
        self._on_part = on_part

    def write(self, name: str, content: Sequence[Buffer], rows: int) -> dict[str, Any]:
        """Write one file and make its content durable.

        Args:
            name: Of the file.
            content: All of it, in pieces.
            rows: How many rows it holds.

        Returns:
            `file`, `sha256`, `bytes` and `rows`.
        """
        path = self._folder / name
        digest = hashlib.sha256()
        for piece in content:
            digest.update(piece)
        self._persist(path, lambda: _write_anew(path, content))
        size = sum(map(len, content))
        part = {"file": name, "sha256": digest.hexdigest(), "bytes": size, "rows": rows}
        self._on_part(part)
        return part

    def finish(self) -> None:
        """Make the names of all files durable."""
        self._persist(self._folder, lambda: _sync_folder(self._folder))

    def _persist(self, path: Path, write: Callable[[], None]) -> None:
        """Do it as often as the disk refuses."""
        while (error := _refusal(write)) is not None:
            self._on_refused(path, error)


def store(result: Result, writer: PartWriter) -> dict[str, Any]:
    """Write a result.

    Args:
        result: Checked.
        writer: For the files of a large one.

    Returns:
        `media_type`, `rows`, `parts` (see `PartWriter.write`) and `inline`.
    """
    stored = {"media_type": JSON_MEDIA_TYPE, "rows": len(result.index), "parts": []}
    inline = result.inline if result.inline is not None else _inline(result)
    if inline is not None:
        return {**stored, "inline": inline}
    media_type, ending, parts = NDJSON_MEDIA_TYPE, "ndjson.gz", _ndjson_parts(result)
    if result.columns:
        media_type, ending, parts = NPZ_MEDIA_TYPE, "npz", _npz_parts(result)
    written = [
        writer.write("part-{:05d}.{}".format(number, ending), content, rows)
        for number, (content, rows) in enumerate(parts)
    ]
    writer.finish()
    return {**stored, "media_type": media_type, "parts": written, "inline": None}


def _inline(result: Result) -> Optional[dict[str, Any]]:
    """The rows for the message itself, or None as soon as they turn out too large for it."""
    # A number takes three characters at least; a large matrix is not turned into text to see that.
    if 3 * sum(len(column.buffer) for column in result.columns) >= INLINE_BYTES:
        return None
    rows: list[list[Any]] = []
    size = len('{"rows": []}')
    found = _rows(result)
    while some := list(islice(found, ROWS_TO_TEXT)):
        # As text these are "[[1, 2], [3, 4]]": two brackets around, and ", " between.
        size += len(json.dumps(some))
        if size >= INLINE_BYTES:
            return None
        rows += some
    return {"rows": rows}


def _rows(result: Result) -> Iterator[list[Any]]:
    for start in range(0, len(result.index), ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, len(result.index))
        for sample, value in zip(result.index[start:stop], result.plain_rows(start, stop)):
            yield [sample, value]


def _npz_parts(result: Result) -> Iterator[Part]:
    row_bytes = 8 + sum(column.row_bytes for column in result.columns)
    _check_row(row_bytes, result.index[0])
    # With its headers a part still fits into the largest slice, and travels in one request.
    rows = max(1, (PART_BYTES - MEMBER_BYTES * (1 + len(result.columns))) // row_bytes)
    for start in range(0, len(result.index), rows):
        stop = min(start + rows, len(result.index))
        yield npz_buffers(result.index, result.columns, start, stop), stop - start


def _ndjson_parts(result: Result) -> Iterator[Part]:
    packed = _Lines()
    for row in _rows(result):
        line = json.dumps(row, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
        _check_row(len(line), row[0])
        if packed.count and packed.size + len(line) > PART_BYTES:
            yield packed.end(), packed.count
            packed = _Lines()
        packed.add(line)
    if packed.count:
        yield packed.end(), packed.count


class _Lines:
    """Lines of one part, packed as they come: only what is packed stays in memory."""

    def __init__(self) -> None:
        # zlib writes no time: the same rows give the same bytes, and the same digest.
        self._packer = zlib.compressobj(6, zlib.DEFLATED, GZIP_BITS)
        self._packed: list[Buffer] = []
        self.count = self.size = 0

    def add(self, line: bytes) -> None:
        self._packed.append(self._packer.compress(line))
        self.count += 1
        self.size += len(line)

    def end(self) -> Sequence[Buffer]:
        return [b"".join(self._packed), self._packer.flush()]


def _check_row(size_bytes: int, sample: int) -> None:
    if size_bytes > MAX_PART_BYTES // 2:
        raise ContractError(
            "the row of sample {} takes {:,} bytes; expected at most {:,}".format(
                sample, size_bytes, MAX_PART_BYTES // 2
            )
        )


def _refusal(write: Callable[[], None]) -> Optional[OSError]:
    """Do it; gives what the disk said against it, if that may change."""
    try:
        write()
    except OSError as error:
        if error.errno not in WAITED_FOR:
            raise
        return error
    return None


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_anew(path: Path, content: Sequence[Buffer]) -> None:
    try:
        _write_synced(path, content)
    except OSError:
        with suppress(OSError):  # what is there of it would take of the room that is left
            path.unlink()
        raise


def _write_synced(path: Path, content: Sequence[Buffer]) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for piece in content:
            left = memoryview(piece)
            while left:
                left = left[os.write(opened, left) :]
        os.fsync(opened)
    finally:
        os.close(opened)
