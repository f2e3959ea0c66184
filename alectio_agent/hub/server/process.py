"""A hub process from its lock to its end."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from alectio_agent.core.clock import Clock, SystemClock
from alectio_agent.core.ids import new_token
from alectio_agent.hub.server.build import Hub, build_hub
from alectio_agent.hub.server.first_token import make_first_token
from alectio_agent.hub.server.http_server import HttpServer, make_server, open_socket
from alectio_agent.hub.server.hub_file import remove_hub_file, write_hub_file
from alectio_agent.hub.server.lock import HubLock
from alectio_agent.hub.server.open_files import raise_open_files
from alectio_agent.hub.server.parent import ParentTokens, read_tokens, tell_ready
from alectio_agent.hub.server.settings import Ready, ServerSettings
from alectio_agent.hub.server.tls import ServerTls, make_tls
from alectio_agent.wire.operation import Scope

COLLECT_AFTER = (2000, 10, 50)
"""New objects before a collection of the youngest; so many of these before one of the next age."""


def serve(
    settings: ServerSettings,
    on_ready: Callable[[Ready], None] | None = None,
    on_first_token: Callable[[str], None] | None = None,
    clock: Clock | None = None,
    on_stopping: Callable[[], None] | None = None,
) -> None:
    """Serve a hub until a signal, or the end of the parent, stops it.

    Args:
        settings: Where and how.
        on_ready: Told when the hub serves.
        on_first_token: Told an operator's token, once in the life of the folder, before the hub
            serves; without it none is made.
        clock: For everything; the machine's own unless another is given.
        on_stopping: Told when it begins to stop.

    Raises:
        StoreBusyError: Another hub works in the folder, or the port is taken.
        StoreVersionError: A newer version wrote the folder.
        StoreError: The folder cannot be used.
        UsageError: A folder, an address, a pipe or a certificate that makes no sense.
    """
    raise_open_files()
    clock = clock or SystemClock()
    tls = make_tls(settings.certfile, settings.keyfile) if settings.certfile else None
    parent = None if settings.pipe_fd is None else read_tokens(settings.pipe_fd)
    operator_token = new_token() if parent is None else parent.operator
    with ExitStack() as stack:
        stack.callback(HubLock(settings.data, clock, settings.lock_wait_s).release)
        listening = stack.enter_context(_listening_socket(settings))
        hub = build_hub(settings, clock, _process_tokens(parent, operator_token))
        stack.callback(hub.close)
        if on_first_token is not None:
            make_first_token(hub.services.store, clock, on_first_token)
        address = _Address.of(listening, tls)
        server = make_server(hub.app, tls.context if tls else None)
        server.on_started = partial(
            _started, settings, hub, server, address, operator_token, on_ready
        )
        server.on_stopping = partial(_stopping, settings.data, hub, on_stopping)
        stack.callback(remove_hub_file, settings.data)
        hub.start()
        _set_apart()
        server.run(sockets=[listening])


def _set_apart() -> None:
    """Let garbage collections hold up fewer requests, and each of them for less time.

    Modules and routes stay as long as the process: looking through them took 60 ms each time.
    Thousands of polls that are held do not, but are no garbage either: they are looked through when
    a million objects have come, and not each time when there are a quarter more of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@dataclass(frozen=True)
class _Address:
    """Where this machine reaches the hub, and whether others do too."""

    url: str
    is_loopback: bool
    tls: ServerTls | None

    @classmethod
    def of(cls, listening: socket.socket, tls: ServerTls | None) -> "_Address":
        host, port = listening.getsockname()[:2]
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared
        shown = f"[{reached}]" if ":" in reached else reached
        is_loopback = host.startswith("127.") or host == "::1"
        return cls(f"{'http' if tls is None else 'https'}://{shown}:{port}", is_loopback, tls)


def _started(
    settings: ServerSettings,
    hub: Hub,
    server: HttpServer,
    address: _Address,
    operator_token: str,
    on_ready: Callable[[Ready], None] | None,
) -> None:
    """In the event loop, once requests are served: listen for stops, then say so."""
    hub.listen()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    if settings.pipe_fd is not None:
        loop.add_reader(settings.pipe_fd, _heard, loop, settings.pipe_fd, server)
    tls = address.tls
    shown = {"certificate": tls.certificate, "server_name": tls.server_name} if tls else {}
    write_hub_file(settings.data, address.url, operator_token, shown)
    if settings.ready_fd is not None:
        tell_ready(settings.ready_fd, address.url, hub.platform_id)
    if on_ready is not None:
        name = tls.server_name if tls else ""
        on_ready(Ready(address.url, hub.platform_id, address.is_loopback, name))


def _stopping(data: Path, hub: Hub, on_stopping: Callable[[], None] | None) -> None:
    """From here on nobody is sent to this hub, and nobody is held by it."""
    if on_stopping is not None:
        on_stopping()
    remove_hub_file(data)
    hub.quiet()


def _heard(loop: asyncio.AbstractEventLoop, pipe_fd: int, server: HttpServer) -> None:
    """The pipe to the parent says nothing after the tokens; its end is the parent's."""
    if os.read(pipe_fd, 4096):
        return
    loop.remove_reader(pipe_fd)
    server.stop()


def _listening_socket(settings: ServerSettings) -> socket.socket:
    if settings.socket_fd is None:
        return open_socket(settings.host, settings.port)
    return socket.socket(fileno=settings.socket_fd)


def _process_tokens(parent: ParentTokens | None, operator_token: str) -> dict[str, Scope]:
    tokens: dict[str, Scope] = {operator_token: "operator"}
    if parent is not None:
        tokens[parent.agent] = "agent"
    return tokens
