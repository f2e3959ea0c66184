"""Servers that answer as no platform would; each takes one connection after the other."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Self

Handle = Callable[[socket.socket], None]
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class WickedServer:
    """Serves each connection with a function, in a thread of its own, until it is closed."""

    def __init__(self, *handles: Handle, port: int = 0, host: str = "127.0.0.1") -> None:
        """The last function serves all further connections too."""
        self._handles = list(handles)
        self._listening = socket.create_server((host, port))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self.connections = 0
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            handle = self._handles[min(self.connections, len(self._handles) - 1)]
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection, handle)

    def _serve(self, connection: socket.socket, handle: Handle) -> None:
        with connection, contextlib.suppress(OSError):
            handle(connection)


def read_request(connection: socket.socket) -> bytes:
    """Read a whole request; empty when the client has gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-len")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0 and (more := connection.recv(65536)):
        missing -= len(more)
    return received


def say(answer: bytes) -> Handle:
    """Answer each request with these bytes, and keep the connection."""

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(answer)

    return handle


def say_once(answer: bytes) -> Handle:
    """Answer one request with these bytes, and hang up."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return handle


def drip(start: bytes, drop: bytes = b"x") -> Handle:
    """Begin at once, then go on a byte at a time until the client has gone."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        connection.settimeout(0.005)
        while True:
            connection.sendall(drop)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return

    return handle


def stall(start: bytes) -> Handle:
    """Begin, then say nothing until the client has gone."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        connection.recv(1)

    return handle


def reset(start: bytes) -> Handle:
    """Begin, then end the connection as a crashed machine does, with RST."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        if start:
            connection.sendall(start)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return handle


def whole(body: bytes, *, status: str = "200 OK", media_type: str = "application/json") -> bytes:
    """A whole answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
