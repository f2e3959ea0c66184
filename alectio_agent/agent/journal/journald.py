"""Tells systemd's journal of each row of the egress record, over its own socket."""

import logging
import socket
from pathlib import Path

log = logging.getLogger(__name__)

SOCKET = Path("/run/systemd/journal/socket")
PREFIX = "AUDIT "


class JournalLine:
    """Sends lines; a journal that does not take them is said once, and nothing waits for it."""

    def __init__(self, path: Path = SOCKET) -> None:
        """Bind it to a socket, which may come later.

        Args:
            path: Of the journal.
        """
        self._path = path
        self._is_told = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)

    def send(self, text: str) -> None:
        """Send a line of priority `info`.

        Args:
            text: Without a line break.
        """
        said = f"PRIORITY=6\nSYSLOG_IDENTIFIER=alectio-agent\nMESSAGE={PREFIX}{text}\n"
        try:
            self._socket.sendto(said.encode("utf-8", "replace"), str(self._path))
        except OSError as error:
            if not self._is_told:
                log.warning(
                    "%s takes no rows of the egress record (audit.journald): %s; egress.db does",
                    self._path,
                    error.strerror or error,
                )
            self._is_told = True
        else:
            self._is_told = False

    def close(self) -> None:
        """Send nothing more."""
        self._socket.close()
