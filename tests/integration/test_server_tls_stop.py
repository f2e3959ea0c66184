"""A server that speaks TLS stops at once, and loses nothing that it has begun to say."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from alectio_agent.hub.server.http_server import HttpServer, make_server, open_socket
from alectio_agent.hub.server.tls import make_tls
from tests.support.certificates import HOST, write_leaf

LARGE = 16 * 2**20


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers with as many bytes as no kernel buffers."""
    del receive
    size = LARGE if scope["path"] == "/large" else 2
    length = (b"content-length", str(size).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": b"x" * size})


class Running:
    """A server in a thread, and how to call it."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self._tls = make_tls(*write_leaf(folder, authority.issue_cert(HOST)).pair)
        self._client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self._client)
        self._listening = open_socket("127.0.0.1", 0)
        self._address = self._listening.getsockname()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(20)

    def _run(self) -> None:
        async def serve() -> None:
            self.server: HttpServer = make_server(app, self._tls.context)
            self.server.on_started = self._started.set
            self._loop = asyncio.get_running_loop()
            await self.server.serve(sockets=[self._listening])

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())

    @contextmanager
    def asking(self, path: str) -> Iterator[ssl.SSLSocket]:
        plain = socket.create_connection(self._address, 20)
        with self._client.wrap_socket(plain, server_hostname=HOST) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            yield connection

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.server.stop)

    def is_over(self) -> bool:
        # Far below the 30 s for which TLS waits for the other end by itself.
        self._thread.join(15)
        return not self._thread.is_alive()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    server = Running(tmp_path)
    yield server
    server.stop()
    server.is_over()


def read_all(connection: ssl.SSLSocket) -> bytes:
    received = bytearray()
    while piece := connection.recv(2**20):
        received += piece
    return bytes(received)


def test_an_idle_connection_does_not_keep_the_server(running: Running) -> None:
    """Agents keep theirs between two calls, and answer no goodbye meanwhile."""
    with running.asking("/small") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        running.stop()
        assert running.is_over()


def test_an_answer_that_was_begun_comes_whole(running: Running) -> None:
    with running.asking("/large") as connection:
        first = connection.recv(16)
        running.stop()
        whole = first + read_all(connection)
    assert len(whole.partition(b"\r\n\r\n")[2]) == LARGE
    assert running.is_over()
