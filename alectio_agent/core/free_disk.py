"""How much may still be written on the disk of a folder."""

import os
from contextlib import suppress
from pathlib import Path


def disk_of(path: Path) -> os.statvfs_result:
    """What the system says of a path's disk.

    Args:
        path: Need not exist: the nearest folder above it that is there stands for it.

    Raises:
        OSError: The disk does not answer.
    """
    for candidate in (path, *path.parents):
        with suppress(FileNotFoundError, NotADirectoryError):
            return os.statvfs(candidate)
    raise FileNotFoundError(2, "no such folder", str(path))


def free_bytes(path: Path) -> int:
    """Bytes that may still be written on the disk of a path; arguments and errors as `disk_of`."""
    found = disk_of(path)
    return found.f_bavail * found.f_frsize
