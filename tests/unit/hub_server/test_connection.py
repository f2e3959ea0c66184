"""What a client owes a connection, and for how long; time is the test's."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from uvicorn.server import ServerState

from alectio_agent.hub.server.connection import MAX_HEAD_BYTES, PATIENCE_S, Connection
from alectio_agent.hub.server.http_server import KEEP_ALIVE_S, make_server

HEAD = b"PUT /parts HTTP/1.1\r\nHost: hub\r\nContent-Length: 10\r\n\r\n"


class Handle:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due, self.call, self.is_cancelled = due, call, False

    def cancel(self) -> None:
        self.is_cancelled = True


class Task:
    def add_done_callback(self, call: object) -> None:
        pass


class Loop:
    """Time that passes when it is told to; applications never run."""

    def __init__(self) -> None:
        self.now = 0.0
        self.handles: list[Handle] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> Handle:
        self.handles.append(Handle(self.now + seconds, call))
        return self.handles[-1]

    def create_task(self, work: Coroutine[Any, Any, None]) -> Task:
        work.close()
        return Task()

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [one for one in self.handles if one.due <= end and not one.is_cancelled]:
            first = min(due, key=lambda one: one.due)
            self.handles.remove(first)
            self.now = first.due
            first.call()
        self.now = end


class Line:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written, self.is_closed = b"", False

    def get_extra_info(self, name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.is_closed

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Bench:
    def __init__(self) -> None:
        async def app(_scope: object, _receive: object, _send: object) -> None:
            raise AssertionError("it never runs")

        config = make_server(app).config
        config.load()
        self.loop, self.line = Loop(), Line()
        self.connection = Connection(config, ServerState(), {}, self.loop)
        self.connection.connection_made(self.line)  # type: ignore[arg-type]

    def hear(self, data: bytes) -> None:
        self.connection.data_received(data)

    def answered(self) -> None:
        """The application has answered the request."""
        self.connection.cycle.response_started = True
        self.connection.cycle.response_complete = True
        self.connection.on_response_complete()

    @property
    def said(self) -> dict[str, Any]:
        head, _, body = self.line.written.partition(b"\r\n\r\n")
        assert b"content-type: application/problem+json\r\n" in head
        assert b"connection: close" in head
        found: dict[str, Any] = json.loads(body)
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_client_that_never_says_a_word_is_left(bench: Bench) -> None:
    bench.loop.pass_time(PATIENCE_S)
    assert (bench.line.is_closed, bench.line.written) == (True, b"")


def test_a_head_that_comes_drop_by_drop_gets_no_more_time(bench: Bench) -> None:
    for byte in HEAD[:29]:
        bench.hear(bytes([byte]))
        bench.loop.pass_time(1)
    assert not bench.line.is_closed
    bench.loop.pass_time(1)
    assert bench.line.is_closed
    assert (bench.said["status"], bench.said["type"]) == (408, "about:blank")


def test_a_second_request_that_comes_drop_by_drop_gets_no_more_time_either(bench: Bench) -> None:
    """Its first byte ends the server's own timer."""
    bench.hear(HEAD + b"x" * 10)
    bench.answered()
    bench.hear(b"P")
    bench.loop.pass_time(PATIENCE_S)
    assert bench.line.is_closed


def test_a_body_may_take_as_long_as_it_goes_on(bench: Bench) -> None:
    bench.hear(HEAD)
    for _ in range(9):
        bench.loop.pass_time(PATIENCE_S - 1)
        bench.hear(b"x")
    assert not bench.line.is_closed


def test_a_body_that_stops_ends_with_a_reason(bench: Bench) -> None:
    bench.hear(HEAD + b"xx")
    bench.loop.pass_time(PATIENCE_S)
    assert bench.said["status"] == 408
    assert bench.connection.cycle.disconnected


def test_a_body_that_the_hub_does_not_read_is_not_the_clients_fault(bench: Bench) -> None:
    bench.hear(HEAD + b"xx")
    bench.connection.flow.pause_reading()
    bench.loop.pass_time(10 * PATIENCE_S)
    assert not bench.line.is_closed
    bench.connection.flow.resume_reading()
    bench.loop.pass_time(PATIENCE_S)
    assert bench.line.is_closed


def test_an_answer_may_take_as_long_as_it_takes(bench: Bench) -> None:
    """A held poll owes nothing."""
    bench.hear(HEAD + b"x" * 10)
    bench.loop.pass_time(10 * PATIENCE_S)
    assert not bench.line.is_closed


def test_a_body_that_goes_on_after_its_refusal_is_not_read_for_ever(bench: Bench) -> None:
    bench.hear(HEAD)
    bench.answered()
    for _ in range(4):
        bench.hear(b"x")
        bench.loop.pass_time(PATIENCE_S / 4)
    assert (bench.line.is_closed, bench.line.written) == (True, b"")


def test_a_connection_rests_after_a_body_that_was_refused(bench: Bench) -> None:
    """The rest of the body had ended the server's own timer, and nothing began it anew."""
    bench.hear(HEAD)
    bench.answered()
    bench.hear(b"x" * 10)
    bench.loop.pass_time(KEEP_ALIVE_S - 1)
    assert not bench.line.is_closed
    bench.loop.pass_time(1)
    assert bench.line.is_closed


def test_empty_lines_between_requests_do_not_keep_a_connection(bench: Bench) -> None:
    bench.hear(HEAD + b"x" * 10)
    bench.answered()
    bench.hear(b"\r\n")
    bench.loop.pass_time(KEEP_ALIVE_S)
    assert bench.line.is_closed


def test_a_head_without_end_is_refused(bench: Bench) -> None:
    bench.hear(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(MAX_HEAD_BYTES // 1024):
        bench.hear(b"a" * 1024)
    assert bench.said["status"] == 431


def test_a_half_request_behind_a_held_one_gets_no_answer_of_its_own(bench: Bench) -> None:
    """It would be taken for the answer to the first."""
    bench.hear(HEAD + b"x" * 10 + b"GET / HT")
    bench.loop.pass_time(PATIENCE_S)
    assert (bench.line.is_closed, bench.line.written) == (True, b"")


def test_a_connection_that_ended_is_not_looked_at_again(bench: Bench) -> None:
    bench.hear(b"GET")
    bench.connection.connection_lost(None)
    assert [one for one in bench.loop.handles if not one.is_cancelled] == []
