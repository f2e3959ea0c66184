"""Deadlines of requests, without sockets."""

import math
import ssl

import pytest

from alectio_agent.agent.client.deadlines import SEND_S, Deadlines, Watch
from alectio_agent.agent.client.lateness import is_stale, kind, late_reason
from tests.support.clocks import FakeClock


class HeldDeadlines(Deadlines):
    """Turned by the test, not by a thread."""

    def _run(self) -> None:
        """Nothing."""


class FakeSocket:
    """Takes a few bytes at a time."""

    def __init__(self, takes: int = 4) -> None:
        self.sent = bytearray()
        self._takes = takes
        self._timeout_s: float | None = 10

    def gettimeout(self) -> float | None:
        return self._timeout_s

    def settimeout(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def send(self, data: memoryview) -> int:
        self.sent += data[: self._takes]
        return len(data[: self._takes])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def deadlines(clock: FakeClock) -> Deadlines:
    return HeldDeadlines(clock)


def begin(deadlines: Deadlines) -> Watch:
    watch = Watch(deadlines)
    watch.begin(30, 35, 120)
    watch.attach()
    return watch


def test_nothing_in_flight_means_no_wake_up_at_all(deadlines: Deadlines) -> None:
    assert deadlines.step() == math.inf
    begin(deadlines).end()
    assert deadlines.step() == math.inf


def test_a_request_is_cut_when_its_stage_took_too_long(
    deadlines: Deadlines, clock: FakeClock
) -> None:
    watch = begin(deadlines)
    assert deadlines.step() == 30
    clock.advance(29)
    watch.wait()
    assert deadlines.step() == 35
    clock.advance(34)
    watch.read()
    assert deadlines.step() == 120
    clock.advance(120)
    assert deadlines.step() == math.inf
    assert watch.is_over


def test_a_request_that_is_over_is_cut_no_more(deadlines: Deadlines, clock: FakeClock) -> None:
    watch = begin(deadlines)
    watch.end()
    clock.advance(1000)
    deadlines.step()
    assert not watch.is_over


def test_the_earliest_of_several_counts(deadlines: Deadlines, clock: FakeClock) -> None:
    begin(deadlines)
    clock.advance(10)
    begin(deadlines).wait()
    assert deadlines.step() == 20


def test_bytes_that_leave_move_the_deadline(deadlines: Deadlines, clock: FakeClock) -> None:
    watch, connected = begin(deadlines), FakeSocket()
    clock.advance(29)
    watch.send(connected, b"0123456789")
    assert bytes(connected.sent) == b"0123456789"
    assert deadlines.step() == SEND_S
    assert connected.gettimeout() == 30


def test_what_is_missing_when_it_is_cut_is_told(deadlines: Deadlines, clock: FakeClock) -> None:
    """The error of the cut socket comes later, and from wherever the thread was by then."""
    watch = begin(deadlines)
    clock.advance(31)
    deadlines.step()
    watch.wait()
    assert (
        late_reason(ConnectionResetError("reset"), watch, 30) == "to connect took longer than 30 s"
    )
    with pytest.raises(TimeoutError):
        watch.read()


def test_the_next_request_of_a_thread_starts_afresh(deadlines: Deadlines, clock: FakeClock) -> None:
    watch = begin(deadlines)
    clock.advance(31)
    deadlines.step()
    watch.end()
    watch.begin(30, 35, 120)
    assert not watch.is_over


@pytest.mark.parametrize(
    ("stage", "error", "told", "silence"),
    [
        ("connect", ConnectionRefusedError(111, "Connection refused"), "", "unreachable"),
        ("connect", TimeoutError("timed out"), "", "unreachable"),
        ("send", TimeoutError("timed out"), "nothing could be sent for 30 s", "late"),
        ("wait", TimeoutError("timed out"), "nothing came for 12 s", "late"),
        ("read", TimeoutError("timed out"), "nothing came for 12 s", "late"),
        ("wait", ConnectionResetError(104, "reset by peer"), "", "cut"),
    ],
)
def test_what_was_late_is_told_and_every_silence_has_a_kind(
    deadlines: Deadlines, stage: str, error: Exception, told: str, silence: str
) -> None:
    watch = begin(deadlines)
    watch.enter(stage, 10)  # type: ignore[arg-type]
    assert late_reason(error, watch, 12) == told
    assert kind(error, watch) == silence


@pytest.mark.parametrize(
    ("stage", "is_fresh", "error", "expected"),
    [
        ("wait", False, ConnectionResetError(), True),
        ("send", False, BrokenPipeError(), True),
        ("wait", False, ssl.SSLEOFError(), True),
        ("wait", True, ConnectionResetError(), False),
        ("read", False, ConnectionResetError(), False),
        ("wait", False, TimeoutError(), False),
        ("connect", False, ConnectionRefusedError(), False),
    ],
)
def test_only_a_kept_connection_that_ended_unheard_was_stale(
    deadlines: Deadlines, stage: str, is_fresh: bool, error: Exception, expected: bool
) -> None:
    watch = begin(deadlines)
    watch.enter(stage, 10)  # type: ignore[arg-type]
    watch.is_fresh = is_fresh
    assert is_stale(error, watch) is expected
