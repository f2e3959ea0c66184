"""What each asking does with the running steps, and what is said about it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from alectio_agent.agent.service.stop_plan import StopMode, StopRules
from alectio_agent.agent.service.stops import Stops
from tests.support.clocks import FakeClock


class FakeHooks:
    """Implements `service.stops.RunningHooks`; notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def request(self, within_s: float | None, *, asks_hook: bool) -> None:
        self.told.append(("ask" if asks_hook else "wait", within_s))

    def cancel(self, grace_s: float) -> None:
        self.told.append(("cancel", grace_s))

    def kill(self) -> None:
        self.told.append("kill")


CANCEL = ("cancel", 30.0)


class Bench:
    """Stops of an agent whose slots train, unless `running` is emptied."""

    def __init__(self, slots: int = 1, **rules: Any) -> None:
        self.slots = [FakeHooks() for _ in range(slots)]
        self.running = [f"xray/{number}" for number in range(slots)]
        self.clock = FakeClock()
        self.system: Callable[[], bool] = lambda: False
        self.stops = Stops(
            StopRules(**rules), self.slots, lambda: self.running, lambda: self.system(), self.clock
        )

    @property
    def told(self) -> list[Any]:
        return self.slots[0].told


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("rules", "told", "words"),
    [
        ({}, ("wait", None), "xray/0 finishes its running step (no deadline); again to cancel"),
        (
            {"drain_timeout_s": 90.0},
            ("wait", 90.0),
            "xray/0 finishes its running step (at most 1 min 30 s, then cancelled); "
            "again to cancel",
        ),
        (
            {"when_stopped": "checkpoint"},
            ("ask", None),
            "asking the hook of xray/0 for a checkpoint (no deadline); again to cancel",
        ),
        (
            {"when_stopped": "checkpoint", "drain_timeout_s": 90.0},
            ("ask", 90.0),
            "asking the hook of xray/0 for a checkpoint (at most 1 min 30 s, then cancelled); "
            "again to cancel",
        ),
        (
            {"when_stopped": "cancel", "drain_timeout_s": 600.0},
            CANCEL,
            "xray/0 is cancelled (TERM now, KILL after 30 s); again to kill at once",
        ),
    ],
)
def test_the_first_stop_does_what_the_configuration_says_and_names_the_deadline(
    rules: dict[str, Any], told: Any, words: str, said: Callable[[], list[str]]
) -> None:
    bench = Bench(**rules)
    bench.stops.ask()
    assert bench.told == [told]
    assert said() == [f"stopping: {words}"]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({}, ("ask", 300.0)),
        ({"when_stopped": "cancel"}, ("ask", 300.0)),
        ({"drain_timeout_s": 60.0}, ("ask", 60.0)),
        ({"drain_timeout_s": 3600.0}, ("ask", 300.0)),
        ({"on_shutdown": "cancel"}, CANCEL),
    ],
)
def test_a_machine_that_goes_down_waits_for_a_checkpoint_and_not_for_a_step(
    rules: dict[str, Any], told: Any, said: Callable[[], list[str]]
) -> None:
    bench = Bench(**rules)
    bench.system = lambda: True
    bench.stops.ask()
    assert bench.told == [told]
    assert said()[0].startswith("the machine goes down: ")


def test_the_second_stop_cancels_and_the_third_kills() -> None:
    bench = Bench()
    for _ in range(3):
        bench.stops.ask()
    assert bench.told == [("wait", None), CANCEL, "kill"]
    assert bench.stops.asked == 3


def test_where_the_first_stop_cancels_the_second_kills() -> None:
    bench = Bench(when_stopped="cancel")
    bench.stops.ask()
    assert bench.stops.asked == 2
    bench.stops.ask()
    assert bench.told == [CANCEL, "kill"]


def test_the_hooks_of_all_slots_are_asked(said: Callable[[], list[str]]) -> None:
    bench = Bench(slots=2, when_stopped="checkpoint")
    for _ in range(3):
        bench.stops.ask()
    assert [slot.told for slot in bench.slots] == [[("ask", None), CANCEL, "kill"]] * 2
    assert "the hooks of xray/0 and xray/1" in said()[0]


def test_nobody_is_asked_about_the_machine_while_no_step_runs(
    said: Callable[[], list[str]],
) -> None:
    """An idle agent stops at once, also where the system does not answer."""
    bench = Bench()
    bench.running = []
    bench.system = lambda: pytest.fail("asked")
    bench.stops.ask()
    assert said() == ["stopping"]


def test_a_second_stop_does_not_wait_for_what_the_first_finds_out() -> None:
    bench = Bench()

    def ask_again() -> bool:
        bench.stops.ask()
        assert bench.told == [CANCEL]
        return True

    bench.system = ask_again
    bench.stops.ask()
    assert bench.told == [CANCEL]
    assert bench.stops.asked == 2


@pytest.mark.parametrize(
    ("mode", "told"),
    [("finish", ("wait", None)), ("checkpoint", ("ask", None)), ("cancel", CANCEL)],
)
def test_who_says_how_to_stop_has_it_whatever_the_configuration_says(
    mode: StopMode, told: Any
) -> None:
    bench = Bench(when_stopped="cancel" if mode != "cancel" else "finish")
    bench.system = lambda: pytest.fail("it would change nothing")
    bench.stops.ask_for(mode)
    bench.stops.ask_for(mode)
    assert bench.told == [told]


def test_a_firmer_stop_follows_a_softer_one_and_not_the_other_way_round() -> None:
    bench = Bench()
    bench.stops.ask_for("finish")
    bench.stops.ask_for("cancel")
    bench.stops.ask_for("finish")
    assert bench.told == [("wait", None), CANCEL]


def test_the_deadline_is_known_from_the_first_stop_on() -> None:
    bench = Bench(drain_timeout_s=60.0)
    bench.clock.advance(5)
    assert bench.stops.ends_s is None
    bench.stops.ask()
    assert bench.stops.ends_s == 65
    assert bench.stops.plan is not None
    assert bench.stops.plan.limit_s == 60


def test_an_end_that_nobody_asked_for_keeps_to_the_drain_timeout() -> None:
    bench = Bench(drain_timeout_s=60.0, when_stopped="checkpoint")
    bench.stops.limit()
    assert bench.told == [("wait", 60.0)]


@pytest.mark.parametrize("is_asked", [True, False])
def test_without_a_drain_timeout_such_an_end_has_no_limit(is_asked: bool) -> None:
    bench = Bench()
    if is_asked:
        bench.stops.ask()
    before = list(bench.told)
    bench.stops.limit()
    assert bench.told == before
