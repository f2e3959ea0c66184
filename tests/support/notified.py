"""What systemd hears: a real notify socket, as `NOTIFY_SOCKET` names it."""

import socket
import uuid
from pathlib import Path
from typing import Self

PATIENCE_S = 40.0


class Notified:
    """A socket that keeps all that it was told; a path, or an abstract name."""

    def __init__(self, folder: Path | None = None) -> None:
        name = f"alectio-{uuid.uuid4().hex}"
        self.address = f"@{name}" if folder is None else str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{name}" if folder is None else self.address)
        self.messages: list[list[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def environment(self, watchdog_s: float | None = None) -> dict[str, str]:
        """As systemd gives it to the process."""
        found = {"NOTIFY_SOCKET": self.address}
        if watchdog_s is not None:
            found["WATCHDOG_USEC"] = str(round(watchdog_s * 1_000_000))
        return found

    @property
    def lines(self) -> list[str]:
        """All lines so far, in their order."""
        return [line for message in self.messages for line in message]

    def until(self, start: str) -> list[str]:
        """Read on to the next message with a line that begins like this."""
        self._socket.settimeout(PATIENCE_S)
        while True:
            try:
                message = self._socket.recv(65536).decode().split("\n")
            except TimeoutError:
                raise AssertionError(f"{start!r} was not told: {self.messages}") from None
            self.messages.append(message)
            if any(line.startswith(start) for line in message):
                return message

    def rest(self) -> list[str]:
        """All lines that are there already, and were not read yet."""
        self._socket.setblocking(False)
        found: list[str] = []
        while True:
            try:
                message = self._socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                return found
            self.messages.append(message)
            found += message
