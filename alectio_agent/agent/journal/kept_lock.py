"""A lock that outlasts a restart: it is held while one program becomes the next.

Were it let go of meanwhile, a `stop` would find no agent, and another agent could take the folder.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

VARIABLE = "ALECTIO_KEPT_LOCK"
"""`<process>:<descriptor>`; only the process itself believes it."""


def keep_lock(opened: int) -> None:
    """Let the next program of this process have the lock.

    Args:
        opened: Descriptor that holds it.
    """
    fcntl.fcntl(opened, fcntl.F_SETFD, 0)
    os.environ[VARIABLE] = f"{os.getpid()}:{opened}"


def kept_lock(file: Path) -> int | None:
    """The descriptor with which the program before held the lock.

    Args:
        file: That is to be locked; the lock of another one is given back.

    Returns:
        None when there was no such program.
    """
    process, _, number = os.environ.pop(VARIABLE, "").partition(":")
    if process != str(os.getpid()) or not (number.isascii() and number.isdigit()):
        return None
    opened = int(number)
    with suppress(OSError):
        fcntl.fcntl(opened, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        if os.path.samestat(os.fstat(opened), file.stat()):
            return opened
    with suppress(OSError):
        os.close(opened)
    return None
