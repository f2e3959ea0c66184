"""One hub process per folder."""

import fcntl
import os
from pathlib import Path
from threading import Event

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreBusyError, StoreError, UsageError
from alectio_agent.hub.server.settings import DATABASE

LOCK_FILE = "hub.lock"
LOOK_EVERY_S = 0.1


class HubLock:
    """Held until released, or until the process ends in whatever way."""

    def __init__(self, folder: Path, clock: Clock, wait_s: float) -> None:
        """Take the lock.

        Args:
            folder: The hub's; made when it is missing, and closed to other users.
            clock: Waits.
            wait_s: How long another hub may take to leave.

        Raises:
            StoreBusyError: Another hub works in the folder.
            UsageError: The folder holds other things than a hub.
            StoreError: The folder cannot be made or written.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_is_ours(folder)
            folder.chmod(0o700)
            self._descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror or error}") from error
        try:
            self._wait(folder, clock, wait_s)
        except BaseException:
            os.close(self._descriptor)
            raise
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Leave the folder to the next hub."""
        os.close(self._descriptor)

    def _wait(self, folder: Path, clock: Clock, wait_s: float) -> None:
        never, deadline = Event(), clock.monotonic() + wait_s
        while not self._try():
            if clock.monotonic() >= deadline:
                raise StoreBusyError(
                    f"{folder}: another hub works in this folder (pid {self._holder()})",
                    hint="Stop that one first, or name another folder.",
                )
            clock.wait(never, LOOK_EVERY_S)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> str:
        text = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
        return text if text.isdigit() else "unknown"


def _check_is_ours(folder: Path) -> None:
    """A mistyped folder must not be closed to its other users.

    What was restored from a backup may be the database alone.
    """
    is_known = any((folder / name).exists() for name in (LOCK_FILE, DATABASE))
    if not is_known and any(folder.iterdir()):
        raise UsageError(
            f"{folder}: not empty, and no hub's folder",
            hint="Name a folder that is new, empty, or was made by a hub.",
            code="E-HUB-05",
        )
