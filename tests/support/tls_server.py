"""A server with TLS that keeps every decrypted byte it gets, and answers it."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.certificates import Files

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class TlsServer:
    """One connection at a time.

    Attributes:
        ca: Who has signed its certificate, for whom it helps.
        heard: What came through TLS, decrypted.
        is_asked: Set when something has come.
        is_silent: Whether it gives no answer.
        shaken: How many handshakes ended well.
    """

    def __init__(self, files: Files, wants_client_of: Path | None = None) -> None:
        self.ca: Path | None = None
        self.heard = bytearray()
        self.is_asked = threading.Event()
        self.is_silent = False
        self.shaken = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files.pair)
        if wants_client_of is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(wants_client_of)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no longer."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            plain.settimeout(10)
            with plain, contextlib.suppress(OSError):
                self._serve(plain)

    def _serve(self, plain: socket.socket) -> None:
        with self._context.wrap_socket(plain, server_side=True) as connection:
            self.shaken += 1
            while piece := connection.recv(65536):
                self.heard += piece
                self.is_asked.set()
                if not self.is_silent:
                    connection.sendall(ANSWER)


@contextlib.contextmanager
def serving(files: Files, wants_client_of: Path | None = None) -> Iterator[TlsServer]:
    """A server for the length of a block."""
    server = TlsServer(files, wants_client_of)
    try:
        yield server
    finally:
        server.close()
