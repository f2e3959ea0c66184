"""The HTTP server: one uvicorn, quiet when idle, that stops when it is told to."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from alectio_agent.core.errors import StoreBusyError, UsageError
from alectio_agent.core.listening import backlog
from alectio_agent.hub.server.connection import Connection

log = logging.getLogger(__name__)

# Agents beat every 30 s: a connection that lives longer than that is not made anew each time.
KEEP_ALIVE_S = 75
FINISH_S = 30
SEND_OFF_S = 0.1


def make_server(app: ASGIApp, tls: ssl.SSLContext | None = None) -> "HttpServer":
    """A server for an application.

    Args:
        app: What to serve.
        tls: What it shows of itself; None for plain HTTP.
    """
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Connection,  # on httptools
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # bytes of a port scanner are no news
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FINISH_S,
        # The server listens anew at a socket that it is given.
        backlog=backlog(),
    )
    if tls is not None:
        config.load()
        config.ssl = tls  # given the files, it would ask for the password of a key on the terminal
    return HttpServer(config)


class HttpServer(uvicorn.Server):
    """Waits for a stop instead of looking ten times a second whether there is one."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Prepare; `serve` runs it."""
        super().__init__(config)
        self._stop = asyncio.Event()
        self.on_started: Callable[[], None] = lambda: None
        self.on_stopping: Callable[[], None] = lambda: None

    def stop(self) -> None:
        """End gracefully; a second call no longer waits for connections. From the loop only."""
        self.force_exit = self._stop.is_set()
        self._stop.set()

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        self.on_started()
        await self._stop.wait()
        self.on_stopping()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close all connections, those as well that came while the server was closing.

        Args:
            sockets: That it listens at.
        """
        late = asyncio.ensure_future(self._send_off())
        try:
            await super().shutdown(sockets)
        finally:
            late.cancel()

    async def _send_off(self) -> None:
        # The server tells each connection once to end. One that is accepted a moment later would
        # keep the process for all of FINISH_S.
        while True:
            await asyncio.sleep(SEND_OFF_S)
            for connection in list(self.server_state.connections):
                connection.shutdown()
                self._cut_if_done(connection)

    def _cut_if_done(self, connection: Any) -> None:
        # TLS waits 30 s for the other end to say goodbye as well. An agent between two calls does
        # not listen, so each stop of the hub would take that long.
        transport = connection.transport
        is_tls = transport is not None and transport.get_extra_info("ssl_object") is not None
        if is_tls and transport.is_closing() and not transport.get_write_buffer_size():
            transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the process, which has more to stop than this server."""
        yield


def open_socket(host: str, port: int) -> socket.socket:
    """Listen at an address.

    Args:
        host: Name or address.
        port: 0 takes any free one.

    Returns:
        A listening socket.

    Raises:
        StoreBusyError: The port is taken.
        UsageError: No such address here.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UsageError(
            f"--host {host}: {error.strerror or error}",
            hint="Name an address of this machine, such as 127.0.0.1.",
            code="E-HUB-05",
        ) from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(backlog())
    except OSError as error:
        listening.close()
        raise _not_bound(host, port, error) from error
    return listening


def _not_bound(host: str, port: int, error: OSError) -> Exception:
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return UsageError(
            f"{host}:{port}: {reason}",
            hint="Name a port above 1023 with --port.",
            code="E-HUB-05",
        )
    return StoreBusyError(
        f"{host}:{port}: {reason}", hint="Stop what listens there, or name another with --port."
    )
