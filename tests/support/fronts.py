"""What stands before a hub: TLS, a balancer that ends held lines, a firewall with a page."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

from tests.support.certificates import Files
from tests.support.wicked_servers import Handle


def server_context(files: Files) -> ssl.SSLContext:
    """What a server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files.pair)
    return context


def front(
    port: int, context: ssl.SSLContext | None = None, patience_s: float | None = None,
    last_words: bytes = b"",
) -> Handle:  # fmt: skip
    """Hand on to a port of this machine.

    Args:
        port: Of the hub.
        context: Speaks TLS with it; None for plain.
        patience_s: A line that asks to be held (`wait_s`) is ended after so long; None for never.
        last_words: Said before that.
    """

    def handle(plain: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            near = plain
            if context is not None:
                near = stack.enter_context(context.wrap_socket(plain, server_side=True))
            far = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            timers: list[threading.Timer] = []

            def end() -> None:
                with contextlib.suppress(OSError):
                    near.sendall(last_words)
                _shut(near, far)

            def look(piece: bytes) -> None:
                if patience_s is not None and b"wait_s=" in piece:
                    timers.append(threading.Timer(patience_s, end))
                    timers[-1].start()

            forth = threading.Thread(target=_pump, args=(near, far, look), daemon=True)
            forth.start()
            _pump(far, near)
            _shut(near, far)
            forth.join(10)
            for timer in timers:
                timer.cancel()

    return handle


def _pump(
    source: socket.socket, sink: socket.socket, look: Callable[[bytes], None] = lambda _: None
) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            look(piece)
            sink.sendall(piece)


def _shut(*ends: socket.socket) -> None:
    for each in ends:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
