"""The server's end: no connection keeps it."""

import asyncio

import pytest
from uvicorn.lifespan.off import LifespanOff

from alectio_agent.core.listening import backlog
from alectio_agent.hub.server.http_server import HttpServer, make_server

pytestmark = pytest.mark.anyio


async def nothing(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError("nothing is asked")


def test_the_queue_of_a_socket_that_was_handed_over_is_as_long_as_the_machine_allows() -> None:
    """The server listens anew at it: its own 2,048 would undo what `run` asked for."""
    assert make_server(nothing).config.backlog == backlog()


class Connection:
    """A connection that ends when it is told to."""

    def __init__(self, server: HttpServer) -> None:
        self.all = server.server_state.connections
        self.all.add(self)  # type: ignore[arg-type]
        self.is_told = False

    def shutdown(self) -> None:
        self.is_told = True
        self.all.discard(self)  # type: ignore[arg-type]


class WithLatecomer(Connection):
    """While it ends, another one is accepted."""

    late: Connection | None = None

    def shutdown(self) -> None:
        super().shutdown()
        server = HttpServer.__new__(HttpServer)
        server.server_state = self.state
        self.late = Connection(server)

    def __init__(self, server: HttpServer) -> None:
        super().__init__(server)
        self.state = server.server_state


async def test_a_connection_that_comes_while_the_server_closes_does_not_keep_it() -> None:
    server = make_server(nothing)
    server.lifespan = LifespanOff(server.config)
    server.servers = []
    first = WithLatecomer(server)
    await asyncio.wait_for(server.shutdown(), 10)
    assert first.late is not None
    assert first.late.is_told
