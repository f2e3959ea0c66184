"""The ticker looks at the clock only while anything is claimed."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

import pytest

from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.server.ticker import IDLE_S, TICK_S, Ticker
from alectio_agent.hub.store.store import Store


class Scene:
    """Both the store and the platform, as far as a ticker sees them."""

    def __init__(self) -> None:
        self.may_have_claims = False
        self.ticks = 0
        self.slept_s = 0.0
        self.turns: list[float] = []
        self.listeners: list[Callable[[], None]] = []
        self.claiming = self
        self.called: dict[str, Any] = {}
        self.kept: list[dict[str, Any]] = []
        self.ticker = Ticker(cast(Store, self), cast(Platform, self))

    def turn(self, next_s: float) -> float:
        self.turns.append(next_s)
        return self.slept_s

    def on_commit(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def write(self, work: Callable[[Any], Any]) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(work(None))
        return done

    def tick(self, tx: Any) -> None:
        self.ticks += 1

    def take_contacts(self) -> dict[str, Any]:
        return self.called

    def keep_contacts(self, _: Any, called: dict[str, Any]) -> None:
        self.kept.append(called)

    def commit(self) -> None:
        for listener in self.listeners:
            listener()


def test_an_idle_hub_does_not_tick() -> None:
    scene = Scene()
    assert scene.ticker.step() == IDLE_S
    assert scene.ticks == 0


def test_a_commit_wakes_an_idle_ticker() -> None:
    """It may have been the first claim."""
    scene = Scene()
    scene.ticker.step()
    scene.may_have_claims = True
    scene.commit()
    assert scene.ticker.wake.is_set()


def test_while_anything_is_claimed_it_ticks_by_the_clock() -> None:
    scene = Scene()
    scene.may_have_claims = True
    assert scene.ticker.step() == TICK_S
    assert scene.ticks == 1
    scene.commit()
    assert not scene.ticker.wake.is_set()


def test_each_turn_says_when_the_next_one_comes() -> None:
    """Longer gaps do not count for a lease: nobody saw it then."""
    scene = Scene()
    scene.ticker.step()
    assert scene.turns[-1] == IDLE_S
    scene.may_have_claims = True
    scene.ticker.step()
    assert scene.turns[-1] == TICK_S


def test_a_hub_that_stood_still_says_so(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.slept_s = 7380.0
    scene.ticker.step()
    told = "the hub stood still for 2 h 3 min: for leases this time does not count"
    assert caplog.messages == [told]


def test_contacts_that_are_due_are_written_even_while_nothing_is_claimed() -> None:
    scene = Scene()
    scene.called = {"agent": "now"}
    assert scene.ticker.step() == IDLE_S
    assert scene.kept == [{"agent": "now"}]
