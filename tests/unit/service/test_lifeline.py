"""What systemd is told, look by look."""

from threading import Event

import pytest

from alectio_agent.agent.service.lifeline import LONGEST_START_S, Lifeline
from alectio_agent.agent.service.snapshot import AgentSnapshot
from tests.support.clocks import FakeClock


class Heard:
    """Stands in for the socket."""

    def __init__(self, watchdog_s: float | None = 180.0) -> None:
        self.watchdog_s = watchdog_s
        self.is_heard = True
        self.messages: list[list[str]] = []

    def tell(self, *lines: str) -> None:
        self.messages.append(list(lines))

    @property
    def last(self) -> list[str]:
        return self.messages[-1]


class Agent:
    """As far as it is looked at."""

    def __init__(self) -> None:
        self.hung = ""
        self.has_work = False
        self.stopping = Event()
        self.seen = AgentSnapshot("gpu01", "idle")

    def snapshot(self) -> AgentSnapshot:
        return self.seen


class Bench:
    """A lifeline without a thread: the test makes it look."""

    def __init__(self, watchdog_s: float | None = 180.0) -> None:
        self.heard, self.clock, self.agent = Heard(watchdog_s), FakeClock(), Agent()
        self.starts_again = False
        self.line = Lifeline(self.heard, self.clock)
        self.line.begin(lambda _name, _target: None)

    def ready(self) -> "Bench":
        self.line.ready(self.agent, lambda: self.starts_again)
        return self

    def look(self) -> list[str]:
        self.line.step()
        return self.heard.last


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_agent_that_starts_is_alive_and_not_ready(bench: Bench) -> None:
    assert bench.look() == ["WATCHDOG=1", "STATUS=starting: loading the hooks"]


def test_it_is_ready_at_once_and_says_how_it_stands(bench: Bench) -> None:
    bench.ready()
    assert bench.heard.last == ["READY=1", "WATCHDOG=1", "STATUS=waiting for a job"]


def test_a_status_is_told_when_it_changes(bench: Bench) -> None:
    bench.ready()
    assert bench.look() == ["WATCHDOG=1"]
    bench.agent.seen = AgentSnapshot("gpu01", "starting", trouble="no answer")
    told = "STATUS=not registered yet; no work from the platform: no answer"
    assert bench.look() == ["WATCHDOG=1", told]


def test_an_outage_goes_on_feeding(bench: Bench) -> None:
    bench.agent.seen = AgentSnapshot("gpu01", "starting", trouble="no answer")
    bench.ready()
    assert "WATCHDOG=1" in bench.look()


def test_a_loop_that_hangs_is_named_and_feeds_no_more(bench: Bench) -> None:
    bench.ready()
    bench.agent.hung = "poll"
    assert bench.look() == ["STATUS=the poll hangs"]
    assert bench.look() == []
    bench.agent.hung = ""
    assert bench.look() == ["WATCHDOG=1", "STATUS=waiting for a job"]


def test_a_start_that_hangs_feeds_no_more(bench: Bench) -> None:
    """It may be that of a restart in its own place, which systemd watches already."""
    bench.clock.advance(LONGEST_START_S + 1)
    assert "WATCHDOG=1" not in bench.look()


def test_without_a_watchdog_it_is_not_fed() -> None:
    bench = Bench(watchdog_s=None).ready()
    assert bench.heard.last == ["READY=1", "STATUS=waiting for a job"]


@pytest.mark.parametrize(("watchdog_s", "every_s"), [(180, 10), (None, 10), (3, 1)])
def test_looks_come_often_enough_for_the_watchdog(watchdog_s: float | None, every_s: float) -> None:
    assert Bench(watchdog_s).line.step() == every_s


def test_a_stop_is_told_once_and_asks_for_time_as_long_as_there_is_work(bench: Bench) -> None:
    bench.ready()
    bench.agent.stopping.set()
    bench.agent.has_work = True
    assert bench.look() == ["WATCHDOG=1", "STOPPING=1", "EXTEND_TIMEOUT_USEC=90000000"]
    assert bench.look() == ["WATCHDOG=1", "EXTEND_TIMEOUT_USEC=90000000"]
    bench.agent.has_work = False
    assert bench.look() == ["WATCHDOG=1"]


def test_a_stop_in_which_something_hangs_gets_no_more_time(bench: Bench) -> None:
    bench.ready()
    bench.agent.stopping.set()
    bench.agent.has_work = True
    bench.agent.hung = "sender"
    assert bench.look() == ["STOPPING=1", "STATUS=the sender hangs"]


def test_a_reload_is_told_from_its_beginning_to_its_end(bench: Bench) -> None:
    bench.ready()
    bench.clock.advance(5)
    seen_inside: list[list[str]] = []
    reload = bench.line.around_reload(lambda: seen_inside.append(bench.heard.last))
    reload()
    assert seen_inside == [["RELOADING=1", "MONOTONIC_USEC=5000000"]]
    assert bench.heard.last == ["READY=1"]


def test_a_reload_that_fails_ends_too(bench: Bench) -> None:
    bench.ready()

    def broken() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        bench.line.around_reload(broken)()
    assert bench.heard.last == ["READY=1"]


def test_a_reload_while_it_stops_says_nothing(bench: Bench) -> None:
    bench.ready()
    bench.agent.stopping.set()
    bench.look()
    before = len(bench.heard.messages)
    bench.line.around_reload(lambda: None)()
    assert len(bench.heard.messages) == before


def test_a_restart_in_its_own_place_is_no_stop(bench: Bench) -> None:
    """systemd would wait for the end of a process that does not end."""
    bench.ready()
    bench.starts_again = True
    bench.agent.stopping.set()
    bench.agent.seen = AgentSnapshot("gpu01", "stopping")
    assert bench.look() == ["WATCHDOG=1", "STATUS=stopping"]
    bench.line.start_again()
    assert bench.heard.last == [
        "RELOADING=1", "MONOTONIC_USEC=0", "WATCHDOG=1", "STATUS=starting again",
    ]  # fmt: skip


def test_a_restart_that_is_taken_back_is_a_stop(bench: Bench) -> None:
    bench.ready()
    bench.starts_again = True
    bench.agent.stopping.set()
    assert "STOPPING=1" not in bench.look()
    bench.starts_again = False
    assert "STOPPING=1" in bench.look()


def test_without_anybody_to_tell_no_thread_begins() -> None:
    heard, begun = Heard(), []
    heard.is_heard = False
    Lifeline(heard, FakeClock()).begin(lambda name, _: begun.append(name))
    assert begun == []
