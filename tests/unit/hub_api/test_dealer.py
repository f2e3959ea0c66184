"""Looks for jobs: one at a time, whoever asks; agents are told, timers are set."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

import pytest

from alectio_agent.core.errors import StoreBusyError
from alectio_agent.hub.api.dealer import Dealer
from alectio_agent.hub.experiments.claiming import Claiming
from alectio_agent.hub.experiments.dealing import Deal
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.experiments.polls import Polls
from alectio_agent.hub.experiments.roll import Kind
from alectio_agent.hub.store.store import Store
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio


class Scene:
    """Both the store, whose writer is called by hand, and what looks for jobs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.polls = Polls(self.clock)
        self.may_deal = True
        self.queued: list[tuple[Callable[[Any], Any], Future[Any]]] = []
        self.deals: list[Deal] = []
        self.taken_back: list[Deal] = []
        self.stirred = 0
        self.woken: list[str] = []
        self.dealer = Dealer(cast(Store, self), cast(Claiming, self), self.clock)
        self.dealer.listen()

    def write(self, work: Callable[[Any], Any]) -> "Future[Any]":
        done: Future[Any] = Future()
        self.queued.append((work, done))
        return done

    def deal(self, _: Any) -> Deal:
        return self.deals.pop(0) if self.deals else Deal()

    def deal_changed(self, tx: Any) -> Deal:
        return self.deal(tx)

    def take_back(self, undone: Deal) -> None:
        self.taken_back.append(undone)

    def stir(self) -> None:
        self.stirred += 1

    def poll(self, name: str) -> Poll:
        poll = Poll(name, "boot", 1, frozenset({"digits"}))
        poll.wake = lambda: self.woken.append(name)
        return poll

    async def turn(self, error: Exception | None = None) -> None:
        """The writer does what is queued; a commit may fail."""
        for work, done in [self.queued.pop(0) for _ in list(self.queued)]:
            value = work(None)
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(value)
        for _ in range(3):
            await asyncio.sleep(0)


async def test_many_commits_ask_for_one_look() -> None:
    scene = Scene()
    for _ in range(10):
        scene.dealer.committed()
    assert len(scene.queued) == 1


async def test_a_commit_while_nobody_waits_asks_for_none() -> None:
    scene = Scene()
    scene.may_deal = False
    scene.dealer.committed()
    assert scene.queued == []


async def test_whoever_got_a_job_is_woken_and_nobody_else() -> None:
    scene = Scene()
    lucky, other = scene.poll("lucky"), scene.poll("other")
    assert other
    scene.deals = [Deal(dealt=[(lucky, cast(Any, "job"))])]
    scene.dealer.ask()
    await scene.turn()
    assert scene.woken == ["lucky"]


async def test_a_change_during_a_look_asks_for_another() -> None:
    scene = Scene()
    scene.deals = [Deal(is_more=True)]
    scene.dealer.ask()
    await scene.turn()
    assert len(scene.queued) == 1


async def test_a_commit_that_fails_is_taken_back_and_tried_again() -> None:
    scene = Scene()
    found = Deal(dealt=[(scene.poll("gpu"), cast(Any, "job"))])
    scene.deals = [found]
    scene.dealer.ask()
    await scene.turn(StoreBusyError("locked"))
    assert scene.taken_back == [found]
    assert scene.woken == []
    assert scene.dealer._timer is not None
    scene.dealer.deafen()


async def test_a_job_that_opens_later_is_looked_for_then() -> None:
    scene = Scene()
    scene.deals = [Deal(opens_at=scene.clock.monotonic())]
    scene.dealer.ask()
    await scene.turn()
    while not scene.queued:
        await asyncio.sleep(0)
    assert scene.stirred == 1


async def test_without_a_loop_nothing_is_asked() -> None:
    scene = Scene()
    scene.dealer.deafen()
    scene.dealer.ask()
    assert scene.queued == []


def stand_in_line(scene: Scene, name: str) -> Poll:
    poll = scene.poll(name)
    scene.polls.join(poll, Kind(frozenset(), ()), mark=1)
    return poll


async def test_what_makes_a_job_gives_it_away_in_the_same_transaction() -> None:
    scene = Scene()
    lucky = stand_in_line(scene, "lucky")
    scene.deals = [Deal(dealt=[(lucky, cast(Any, "job"))])]
    written = scene.dealer.write(lambda _: "made")
    assert len(scene.queued) == 1
    await scene.turn()
    assert (written.result(), scene.woken) == ("made", ["lucky"])
    assert scene.queued == []


async def test_a_job_that_was_not_made_is_taken_back() -> None:
    scene = Scene()
    found = Deal(dealt=[(stand_in_line(scene, "lucky"), cast(Any, "job"))])
    scene.deals = [found]
    scene.dealer.write(lambda _: "made")
    await scene.turn(StoreBusyError("locked"))
    assert (scene.taken_back, scene.woken) == ([found], [])


async def test_while_nobody_waits_what_makes_a_job_looks_for_nobody() -> None:
    scene = Scene()
    scene.deals = [Deal()]
    scene.dealer.write(lambda _: "made")
    await scene.turn()
    assert len(scene.deals) == 1
