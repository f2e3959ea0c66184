"""An HTTP proxy of the tests' own, with real sockets, that behaves as proxies of companies do."""

import base64
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import parse_headers
from io import BytesIO
from typing import Any

from tests.support.certificates import Files

PAGE = b"<html><body>Your IT department says hello</body></html>"


def page(status: str) -> bytes:
    """An answer of the proxy itself."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + PAGE


@dataclass
class Manners:
    """How a proxy behaves.

    Attributes:
        routes: `host:port` to the address that it really connects to; others as they say.
        password: `user:password` that it asks for; empty for none.
        answers: Given to everything, instead of doing it: a whole answer.
        cuts: Whether a request (its first bytes, plain http only) is cut right after it was
            forwarded.
        limit_bytes: Larger bodies (plain http only) get a page with 413.
        cuts_body: How much of a request's body (its first bytes, plain http only) is forwarded
            before both lines are cut; None for all of it, and no cut.
    """

    routes: dict[str, tuple[str, int]] = field(default_factory=dict)
    password: str = ""
    answers: bytes = b""
    cuts: Callable[[bytes], bool] = lambda _: False
    limit_bytes: int | None = None
    cuts_body: Callable[[bytes], int | None] = lambda _: None


class Proxy:
    """Forwards plain requests, tunnels CONNECT; a thread for each connection.

    Attributes:
        asked: First line of each request that came.
        heads: The same with their headers.
        heard: Set when the first one came.
    """

    def __init__(
        self,
        manners: Manners | None = None,
        files: Files | None = None,
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        """With `files` it speaks TLS to its clients."""
        self.manners = manners or Manners()
        self._context: ssl.SSLContext | None = None
        if files is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*files.pair)
        self.asked: list[str] = []
        self.heard = threading.Event()
        self.heads: list[bytes] = []
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(at)
        self.port = self._listening.getsockname()[1]
        self.url = f"http://{at[0]}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut everything."""
        for each in [self._listening, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, ValueError):
            stack.enter_context(client)
            if self._context is not None:
                client = stack.enter_context(self._context.wrap_socket(client, server_side=True))
            while (head := _read_head(client)) is not None:
                if not self._one(client, *head):
                    return

    def _one(self, client: socket.socket, head: bytes, rest: bytes) -> bool:
        """Do one request; whether the connection stays."""
        line, _, below = head.partition(b"\r\n")
        method, target, _ = line.decode().split(" ", 2)
        self.asked.append(f"{method} {target}")
        self.heard.set()
        self.heads.append(head)
        headers = parse_headers(BytesIO(below))
        manners = self.manners
        if manners.answers:
            client.sendall(manners.answers)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):  # what is left unread at the end would cut the answer off
                pass
            return False
        expected = "Basic " + base64.b64encode(manners.password.encode()).decode()
        if manners.password and headers["Proxy-Authorization"] != expected:
            client.sendall(page("407 Proxy Authentication Required"))
            return False
        if method == "CONNECT":
            self._tunnel(client, target)
            return False
        return self._forward(client, head, rest, headers)

    def _tunnel(self, client: socket.socket, target: str) -> None:
        try:
            far = self._connect(target)
        except OSError:
            client.sendall(page("502 Bad Gateway"))
            return
        with far:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(far, client), daemon=True)
            back.start()
            _pump(client, far)
            back.join(10)

    def _forward(self, client: socket.socket, head: bytes, rest: bytes, headers: Any) -> bool:
        line, _, below = head.partition(b"\r\n")
        found = re.match(rb"(\S+) http://([^/ ]+)(\S*) (\S+)", line)
        assert found is not None, line
        size = int(headers["Content-Length"] or 0)
        limit = self.manners.limit_bytes
        if limit is not None and size > limit:
            client.sendall(page("413 Request Entity Too Large"))
            return False
        body = rest + _read_exactly(client, size - len(rest))
        place = found[2].decode()
        with self._connect(place if ":" in place else f"{place}:80") as far:
            below = re.sub(rb"(?im)^(proxy-authorization|connection):.*\r\n", b"", below)
            far.sendall(b"%s %s %s\r\n" % (found[1], found[3] or b"/", found[4]))
            forwarded = self.manners.cuts_body(head)
            far.sendall(b"Connection: close\r\n" + below + b"\r\n\r\n" + body[:forwarded])
            if forwarded is not None or self.manners.cuts(head):
                return False
            _pump(far, client)
        return False

    def _connect(self, place: str) -> socket.socket:
        host, _, port = place.rpartition(":")
        far = socket.create_connection(self.manners.routes.get(place, (host, int(port))), 10)
        far.settimeout(None)
        self._open.append(far)
        return far


def _read_head(client: socket.socket) -> tuple[bytes, bytes] | None:
    """A request's head, and what came of its body with it; None at the end."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


def _read_exactly(client: socket.socket, size: int) -> bytes:
    body = b""
    while len(body) < size:
        piece = client.recv(65536)
        if not piece:
            raise ValueError("the request ended early")
        body += piece
    return body


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Hand on whatever comes; the end too."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxying(manners: Manners | None = None, files: Files | None = None) -> Iterator[Proxy]:
    """A proxy for the length of a block."""
    proxy = Proxy(manners, files)
    try:
        yield proxy
    finally:
        proxy.close()
