"""What stands before a hub: TLS, a balancer that ends idle lines, a firewall with a page."""

import contextlib
import socket
import ssl
import threading

from tests.support.certificates import Files
from tests.support.wicked_servers import Handle


def server_context(files: Files) -> ssl.SSLContext:
    """What a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files.pair)
    return context


def front(
    port: int, context: ssl.SSLContext | None = None, idle_s: float | None = None,
    last_words: bytes = b"",
) -> Handle:  # fmt: skip
    """Hand on to a port of this machine.

    Args:
        port: Of the hub.
        context: Speaks TLS with it; None for plain.
        idle_s: A line on which nothing comes back for so long is ended.
        last_words: Said before that.
    """

    def handle(plain: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            near = plain
            if context is not None:
                near = stack.enter_context(context.wrap_socket(plain, server_side=True))
            far = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            forth = threading.Thread(target=_pump, args=(near, far), daemon=True)
            forth.start()
            far.settimeout(idle_s)
            try:
                while piece := far.recv(65536):
                    near.sendall(piece)
            except TimeoutError:
                if last_words:
                    near.sendall(last_words)
            for each in (near, far):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            forth.join(10)

    return handle


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
