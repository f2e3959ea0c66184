"""A whole hub on real sockets in a thread of the test, whose clock can be put forward."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from alectio_agent.core.clock import SystemClock
from alectio_agent.hub.server.build import build_hub
from alectio_agent.hub.server.http_server import make_server
from alectio_agent.hub.server.settings import ServerSettings
from tests.support.hub_process import AGENT, OPERATOR, Hub


class ForwardClock(SystemClock):
    """The machine's clock, some seconds ahead."""

    ahead_s = 0.0
    on_second: Callable[[], object] = staticmethod(lambda: None)
    """A hub counts only time in which its ticker has turned."""

    def advance(self, seconds: int) -> None:
        """Put it forward, second by second."""
        for _ in range(seconds):
            self.ahead_s += 1
            self.on_second()

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)


@contextmanager
def hub_in_thread(data: Path, listening: socket.socket) -> Iterator[ForwardClock]:
    """Serve a hub until the block ends.

    Args:
        data: Its folder.
        listening: Where it serves.

    Yields:
        Its clock: what takes leases minutes in life takes a test no time.
    """
    clock, ready = ForwardClock(), threading.Event()
    data.mkdir()
    settings = ServerSettings(data, data / "results")
    hub = build_hub(settings, clock, {AGENT: "agent", OPERATOR: "operator"})
    server = make_server(hub.app)
    loops: list[asyncio.AbstractEventLoop] = []

    def started() -> None:
        hub.listen()
        loops.append(asyncio.get_running_loop())
        ready.set()

    server.on_started, server.on_stopping = started, hub.quiet
    clock.on_second = lambda: hub.services.platform.turn(1.0)
    hub.start()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        assert ready.wait(30)
        yield clock
    finally:
        loops[0].call_soon_threadsafe(server.stop)
        thread.join()
        hub.close()


class TalkedTo(Hub):
    """Calls to a hub that is no process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.agent_token, self.operator_token = AGENT, OPERATOR
