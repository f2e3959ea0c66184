"""Keeps a file that programs append to below a size, by dropping its middle."""

import os
from pathlib import Path

from alectio_agent.core.sparse import PAGE, punch_hole
from alectio_agent.wire.protocol import LOG_START_BYTES

BLOCK_BYTES = 512
"""Of `st_blocks`, on every system."""


def taken_bytes(status: os.stat_result) -> int:
    """Room that a file takes of the disk: holes take none."""
    return status.st_blocks * BLOCK_BYTES


def cap_log(file: Path, most_bytes: int) -> int:
    """Drop the middle of a file that takes too much room.

    Its beginning stays, where a program says what it is about to do, and its end. Offsets stay
    too: who reads the file, or appends to it, goes on where it was. Where the file system has no
    holes all but the beginning is dropped.

    Args:
        file: Perhaps not there.
        most_bytes: That it may take of the disk.

    Returns:
        Bytes that were freed.

    Raises:
        OSError: The disk refuses.
    """
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        status = os.fstat(opened)
        before = taken_bytes(status)
        if before <= most_bytes:
            return 0
        # Half of it for the end, so that the next cut is not due at once.
        start = min(LOG_START_BYTES, most_bytes // 4) // PAGE * PAGE
        if not punch_hole(opened, start, status.st_size - most_bytes // 2):
            os.ftruncate(opened, start)
        return before - taken_bytes(os.fstat(opened))
    finally:
        os.close(opened)
