"""Stands before a hub, passes every request on, and keeps what arrived."""

import hashlib
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOP = {"connection", "transfer-encoding", "server", "date", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Arrived:
    """A request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def call(self) -> str:
        """What the record calls it; the body tells a refusal from a poll."""
        kind = self.path.partition("?")[0].rpartition("/")[2]
        if self.method == "DELETE":
            return "leave"
        if "/parts/" in self.path:
            return "part" if self.body else "ask"
        if "/steps/" in self.path:
            return "commit"
        if "/names/" in self.path:
            return "names"
        return {"agents": "register", "claims": "poll", "heartbeat": "beat"}.get(kind, kind)

    @property
    def told(self) -> tuple[str, int, str]:
        """What the record has of it."""
        return self.call, len(self.body), hashlib.sha256(self.body).hexdigest()


class RecordingServer:
    """A server for one hub; `arrived` grows from several threads."""

    def __init__(self, port: int) -> None:
        self.arrived: list[Arrived] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.arrived, port))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.socket.close()

    def of(self, call: str) -> list[Arrived]:
        return [each for each in self.arrived if each.call == call]


@contextmanager
def recording(port: int) -> Iterator[RecordingServer]:
    """Serve before the hub at a port of this machine until the block ends."""
    made = RecordingServer(port)
    try:
        yield made
    finally:
        made.close()


def _handler(arrived: list[Arrived], port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = dict(self.headers.items())
            arrived.append(Arrived(self.command, self.path, headers, body))
            hub = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                hub.request(self.command, self.path, body or None, headers)
                answer = hub.getresponse()
                self._answer(answer, answer.read())
            except OSError:
                self.close_connection = True
            finally:
                hub.close()

        do_GET = do_POST = do_PUT = do_DELETE = pass_on  # noqa: N815 - the library's names

        def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *told: Any) -> None:
            """Say nothing."""

    return Handler
