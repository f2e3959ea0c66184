"""Room that is set aside, for what must be written when the disk is full."""

import os
from contextlib import suppress
from pathlib import Path

from alectio_agent.core.disk_errors import try_room

FILE = "reserve"
SIZE_BYTES = 2 * 2**20
"""A manifest and its row take some 10 KiB, seldom more than 100, and opening the journal 100."""


class Reserve:
    """A file of the state folder that holds nothing but its blocks.

    Without it a disk full of results could not note that the platform has them, which is what
    lets them go.
    """

    def __init__(self, folder: Path) -> None:
        """Name the place; nothing is written.

        Args:
            folder: The state folder.
        """
        self._file = folder / FILE

    def keep(self) -> None:
        """Set the room aside, unless that is done, or would take the last of what there is."""
        if self._file.exists() or try_room(self._file.parent, 2 * SIZE_BYTES) is not None:
            return
        try:
            opened = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            os.posix_fallocate(opened, 0, SIZE_BYTES)
        except OSError:
            self.give()
        finally:
            os.close(opened)

    def give(self) -> bool:
        """Let it go, for a write that has found no room.

        Returns:
            Whether there was any, so that trying again at once may help.
        """
        with suppress(OSError):
            self._file.unlink()
            return True
        return False
