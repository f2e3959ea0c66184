"""Where the socket is, also under a path that is too long for one."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET = "control.sock"
LONGEST = 107
"""Bytes that the kernel takes as the path of a socket."""
WAITING = 16
"""Connections that are made while the agent is busy with another."""


def listen(folder: Path, group: int | None) -> socket.socket:
    """Open the socket of a state folder; one that a dead agent left is replaced.

    Args:
        folder: Whose lock this process holds.
        group: Members may connect as well; None for the owner alone.

    Raises:
        OSError: The folder takes no socket.
    """
    file = folder / SOCKET
    file.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(made.fileno(), 0o600)  # the file is made with it: nobody else ever sees it open
        with _address(folder) as address:
            made.bind(address)
        if group is not None:
            os.chown(file, -1, group)
            file.chmod(0o660)
        made.listen(WAITING)
    except OSError:
        made.close()
        raise
    return made


def connect(folder: Path, timeout_s: float) -> socket.socket:
    """Connect to the agent that works in a state folder.

    Args:
        folder: Of the agent.
        timeout_s: For this, and for each read and write later.

    Raises:
        OSError: There is no such folder or socket, nobody listens, this user may not, or too many
            others are waiting.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout_s)
        with _address(folder) as address:
            made.connect(address)
    except OSError:
        made.close()
        raise
    return made


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    file = folder / SOCKET
    if len(os.fsencode(file)) <= LONGEST:
        yield str(file)
        return
    opened = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{opened}/{SOCKET}"
    finally:
        os.close(opened)
