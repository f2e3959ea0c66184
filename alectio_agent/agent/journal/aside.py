"""Moves a damaged database out of the way, with all that belongs to it."""

from pathlib import Path

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreError

BESIDE = ("", "-wal", "-shm")
"""Of the files of one database the main one goes first: a rest without it is known as damage."""


def move_aside(file: Path, clock: Clock) -> Path:
    """Give a database that nobody has open another name.

    Args:
        file: Need not exist, when only its log does.
        clock: For the name.

    Returns:
        What it is called now.

    Raises:
        StoreError: It cannot be moved.
    """
    target = file.with_name(f"{file.name}.damaged-{clock.now():%Y%m%dT%H%M%S.%fZ}")
    try:
        for end in BESIDE:
            if beside(file, end).exists():
                beside(file, end).rename(beside(target, end))
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"{file}: damaged, and cannot be moved aside: {reason}") from error
    return target


def beside(file: Path, end: str) -> Path:
    """A file that belongs to a database.

    Args:
        file: The database.
        end: One of `BESIDE`.
    """
    return file.with_name(f"{file.name}{end}")


def has_content(file: Path) -> bool:
    """Whether a file is there and not empty.

    Args:
        file: Need not exist.
    """
    try:
        return file.stat().st_size > 0
    except OSError:
        return False
