"""Writes a checked result: inline when it is small, else as files of about 4 MiB each."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
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
from alectio_agent.agent.hooks.child.npz import npz_bytes
from alectio_agent.agent.hooks.child.results import Result

Part = tuple[bytes, int]
"""Content of a file, and its number of rows."""

ROWS_AT_ONCE = 256
FULL = (errno.ENOSPC, errno.EDQUOT)


class PartWriter:
    """Makes files durable in one folder; a full disk is waited for, with the content in memory."""

    def __init__(self, folder: Path, on_full: Callable[[str], None]) -> None:
        """Name the folder.

        Args:
            folder: Exists; gets the files.
            on_full: Called with a reason when there is no room; waits, then the write is tried
                again.
        """
        self._folder = folder
        self._on_full = on_full

    def write(self, name: str, content: bytes, rows: int) -> dict[str, Any]:
        """Write one file and make it durable.

        Args:
            name: Of the file.
            content: All of it.
            rows: How many rows it holds.

        Returns:
            `file`, `sha256`, `bytes` and `rows`.
        """
        path = self._folder / name
        while True:
            try:
                _write_synced(path, content)
                break
            except OSError as error:
                if error.errno not in FULL:
                    raise
                with suppress(OSError):
                    path.unlink()
                self._on_full("{}: {}".format(path, error.strerror))
        digest = hashlib.sha256(content).hexdigest()
        return {"file": name, "sha256": digest, "bytes": len(content), "rows": rows}


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
    return {**stored, "media_type": media_type, "parts": written, "inline": None}


def _inline(result: Result) -> Optional[dict[str, Any]]:
    """The rows for the message itself, or None as soon as they turn out too large for it."""
    # A number takes three characters at least; a large matrix is not turned into text to see that.
    if 3 * sum(len(column.buffer) for column in result.columns) >= INLINE_BYTES:
        return None
    rows: list[list[Any]] = []
    size = len('{"rows": []}')
    for row in _rows(result):
        size += len(json.dumps(row)) + 2
        if size >= INLINE_BYTES:
            return None
        rows.append(row)
    return {"rows": rows}


def _rows(result: Result) -> Iterator[list[Any]]:
    for start in range(0, len(result.index), ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, len(result.index))
        for sample, value in zip(result.index[start:stop], result.plain_rows(start, stop)):
            yield [sample, value]


def _npz_parts(result: Result) -> Iterator[Part]:
    row_bytes = 8 + sum(column.row_bytes for column in result.columns)
    _check_row(row_bytes, result.index[0])
    rows = max(1, PART_BYTES // row_bytes)
    for start in range(0, len(result.index), rows):
        stop = min(start + rows, len(result.index))
        yield npz_bytes(result.index, result.columns, start, stop), stop - start


def _ndjson_parts(result: Result) -> Iterator[Part]:
    lines: list[bytes] = []
    size = 0
    for row in _rows(result):
        line = json.dumps(row, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
        _check_row(len(line), row[0])
        if lines and size + len(line) > PART_BYTES:
            yield _packed(lines), len(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield _packed(lines), len(lines)


def _packed(lines: list[bytes]) -> bytes:
    # Without a time the same rows give the same bytes, and the same digest.
    return gzip.compress(b"".join(lines), 6, mtime=0)


def _check_row(size_bytes: int, sample: int) -> None:
    if size_bytes > MAX_PART_BYTES // 2:
        raise ContractError(
            "the row of sample {} takes {:,} bytes; expected at most {:,}".format(
                sample, size_bytes, MAX_PART_BYTES // 2
            )
        )


def _write_synced(path: Path, content: bytes) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
