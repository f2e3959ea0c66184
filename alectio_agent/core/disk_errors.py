"""What a disk refuses, told apart: no room, no writing at all, or a disk that breaks."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from alectio_agent.core.errors import (
    StoreError,
    StoreFailingError,
    StoreFullError,
    StoreReadOnlyError,
)
from alectio_agent.core.free_disk import disk_of
from alectio_agent.core.units import format_size

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
FAILING = frozenset(
    {errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.ETIMEDOUT, errno.EREMOTEIO}
)
FULL_HINT = (
    "Make room there, or on a larger disk: the agent goes on by itself as soon as there is some, "
    "and keeps what is computed"
)
_READ_ONLY_HINT = (
    "Let {user} write there (mount it for writing, or chown it), or name another folder"
)
_FAILING_HINT = (
    "See `dmesg`. Stop the agent, copy the folder to another disk, and name that: what was "
    "complete is in it"
)
_KINDS: Mapping[type[StoreError], frozenset[int]] = {
    StoreFullError: FULL,
    StoreReadOnlyError: READ_ONLY,
    StoreFailingError: FAILING,
}


def store_error(path: Path | str, error: OSError) -> StoreError:
    """The error of ours for what a disk said.

    Args:
        path: What was to be written or read, unless the error names a file itself.
        error: As the system raised it.

    Returns:
        With the room that is left and the mend where these help.
    """
    return told_apart(error.filename or path, error.errno, error.strerror or str(error))


def told_apart(path: Path | str, number: int | None, reason: str) -> StoreError:
    """The error of ours for a number of the system's.

    Args:
        path: What was to be written or read.
        number: One of `errno`.
        reason: The system's words for it.
    """
    kind = next((kind for kind, numbers in _KINDS.items() if number in numbers), StoreError)
    if kind is StoreFullError:
        return StoreFullError(f"{path}: {reason} ({room_left(path)})", hint=FULL_HINT)
    if kind is StoreReadOnlyError:
        return StoreReadOnlyError(f"{path}: {reason}", hint=_READ_ONLY_HINT.format(user=_user()))
    if kind is StoreFailingError:
        return StoreFailingError(f"{path}: {reason}", hint=_FAILING_HINT)
    return StoreError(f"{path}: {reason}")


def room_left(path: Path | str) -> str:
    """How much is free on the disk of a path, in words.

    Args:
        path: Need not exist.
    """
    try:
        found = disk_of(Path(path))
    except OSError:
        return "its disk cannot be looked at"
    if found.f_files and not found.f_favail:
        return "no further file fits on this disk: its inodes are used up"
    return f"{format_size(found.f_bavail * found.f_frsize)} free on this disk"


def try_room(folder: Path, size_bytes: int) -> OSError | None:
    """Find out whether a folder takes a new file, also where a quota says no.

    Args:
        folder: Exists. Nothing is left behind in it.
        size_bytes: That the file takes; at least 1.

    Returns:
        What the system says against it. None when it fits, and where that cannot be found out.
    """
    try:
        opened = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        can_tell = error.errno in FULL | READ_ONLY | FAILING
        return error if can_tell else None
    try:
        os.posix_fallocate(opened, 0, size_bytes)
    except OSError as error:
        return error if error.errno in FULL | FAILING else None
    finally:
        os.close(opened)
    return None


class disk_errors:  # noqa: N801 - reads as a word in `with disk_errors(path):`
    """Turns an OSError into a StoreError that names the path."""

    def __init__(self, path: Path) -> None:
        """Name what is read or written.

        Args:
            path: For the message, unless the error names a file itself.
        """
        self._path = path

    def __enter__(self) -> None:
        """Nothing is done before."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the error of ours in place of the system's."""
        if isinstance(error, OSError):
            raise store_error(self._path, error) from error


def _user() -> str:
    return f"user id {os.geteuid()}"
