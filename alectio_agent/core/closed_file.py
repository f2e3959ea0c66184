"""Reads files that hold secrets, and refuses those that others could have read."""

import os
import stat
from pathlib import Path

from alectio_agent.core.setting_error import SettingError

OWNER_ONLY = 0o077
OWNER_AND_GROUP = 0o007


def read_closed(path: Path, limit_bytes: int, closed_to: int = OWNER_ONLY) -> bytes:
    """The content of a file that holds a secret.

    Args:
        path: A regular file.
        limit_bytes: Largest size that makes sense.
        closed_to: Bits that its mode must not have.

    Returns:
        Its bytes; one more than the limit when it is larger.

    Raises:
        SettingError: It cannot be read, is no regular file, belongs to somebody else, or is open
            to others; the message never shows what it holds.
    """
    try:
        # Not waiting for a writer: a named pipe would hold the program up for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            # Of the open file, not of the path: nobody can exchange it between check and reading.
            _check(path, os.fstat(descriptor), closed_to)
            return os.read(descriptor, limit_bytes + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(path, error) from error


def read_open(path: Path, limit_bytes: int) -> bytes:
    """The content of a file that is no secret.

    Args:
        path: A regular file.
        limit_bytes: Largest size that makes sense.

    Returns:
        Its bytes; one more than the limit when it is larger.

    Raises:
        SettingError: It cannot be read, or is no regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _check_regular(path, os.fstat(descriptor))
            return os.read(descriptor, limit_bytes + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> SettingError:
    """What is said of a file that the system does not give.

    Args:
        path: Of the file.
        error: Of the system.
    """
    return SettingError(f"{path} cannot be read ({error.strerror})")


def _check(path: Path, status: os.stat_result, closed_to: int) -> None:
    _check_regular(path, status)
    if closed_to == OWNER_ONLY and status.st_uid not in (0, os.geteuid()):
        raise SettingError(
            f"{path} belongs to user {status.st_uid}; expected us ({os.geteuid()}) or root: "
            f"chown {os.geteuid()} {path}"
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & closed_to:
        right = "600" if closed_to == OWNER_ONLY else "640"
        raise SettingError(
            f"{path} is open to others ({mode:04o}), and it holds a secret: chmod {right} {path}; "
            "if others had access, replace the secret"
        )


def _check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SettingError(f"{path} is no regular file")
