"""One connection to a hub, byte by byte: what no HTTP library would send."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.hub_process import Hub


@dataclass(frozen=True)
class Answer:
    """One answer as it stood on the line."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document; anything else of a refusal is a mistake."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return document


class Line:
    """A socket, and the answers that come over it."""

    def __init__(self, hub: Hub, connected: socket.socket) -> None:
        self._hub = hub
        self.socket = connected
        self._stream = connected.makefile("rb")

    def send(self, *pieces: str | bytes) -> None:
        """Each piece on its own."""
        for piece in pieces:
            self.socket.sendall(piece.encode() if isinstance(piece, str) else piece)

    def head(self, method: str, path: str, *more: str, version: str = "HTTP/1.1") -> str:
        """The head of a request of the agent."""
        named = [
            "Host: hub",
            f"Authorization: Bearer {self._hub.agent_token}",
            "Alectio-Protocol: 1",
            *more,
        ]
        return "\r\n".join([f"{method} {path} {version}", *named, "", ""])

    def read_head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next answer."""
        first = self._stream.readline()
        assert first.startswith(b"HTTP/1.1 "), first
        headers = {}
        while (line := self._stream.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        return int(first.split()[1]), headers

    def read(self, *, is_head: bool = False) -> Answer:
        """The next answer."""
        status, headers = self.read_head()
        length = 0 if is_head or status == 204 else int(headers["content-length"])
        return Answer(status, headers, self._stream.read(length))

    @property
    def is_at_its_end(self) -> bool:
        """Whether the hub has closed it, with nothing left to read."""
        return self._stream.read(1) == b""


@contextmanager
def open_line(hub: Hub) -> Iterator[Line]:
    """Connect to a hub.

    Args:
        hub: That serves.

    Yields:
        The connection; closed at the end.
    """
    port = int(hub.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connected:
        yield Line(hub, connected)
