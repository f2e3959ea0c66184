"""Open pages hear of changes: once, soon, and not for nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.api.pulse import Pulse
from alectio_agent.hub.dashboard.live import BETWEEN_LOOKS_S, Live
from alectio_agent.hub.dashboard.shared import Shared

pytestmark = pytest.mark.anyio


class Scene:
    """A hub whose time passes only when told."""

    def __init__(self) -> None:
        self.pulse = Pulse()
        self.pulse.listen()
        self.versions = {"digits": 1}
        self.beats = 0
        self.looks = 0
        self.is_broken = False
        self.slept: list[float] = []
        self.time_passes = asyncio.Event()
        self.live = Live(self.pulse, self.read, lambda: self.beats, self.sleep)

    async def read(self) -> Mapping[str, int]:
        self.looks += 1
        if self.is_broken:
            raise StoreError("the disk is gone")
        return dict(self.versions)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds == BETWEEN_LOOKS_S:
            return
        await self.time_passes.wait()
        self.time_passes.clear()

    async def commit(self, **versions: int) -> None:
        self.versions |= versions
        self.pulse.beat()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    running = asyncio.ensure_future(made.live.run())
    yield made
    running.cancel()


async def test_nobody_looks_while_no_page_is_open(scene: Scene) -> None:
    await scene.commit(digits=2)
    assert scene.looks == 0


async def test_one_look_serves_all_pages(scene: Scene) -> None:
    with scene.live.watching(), scene.live.watching(), scene.live.watching():
        await settle()
        before, change = scene.looks, scene.live.next_change()
        await scene.commit(digits=2)
        assert change.is_set()
        assert scene.looks == before + 1


async def test_a_page_about_one_experiment_sleeps_through_the_others(scene: Scene) -> None:
    with scene.live.watching():
        await settle()
        mine, all_of_them = scene.live.mark("digits"), scene.live.mark(None)
        await scene.commit(other=1)
        assert scene.live.mark("digits") == mine
        assert scene.live.mark(None) != all_of_them
        await scene.commit(digits=2)
        assert scene.live.mark("digits") != mine


async def test_commits_that_follow_each_other_closely_are_one_change(scene: Scene) -> None:
    with scene.live.watching():
        await settle()
        before = scene.looks
        for _ in range(50):
            scene.pulse.beat()
        await settle()
        assert scene.looks == before + 1


async def test_progress_in_memory_needs_no_look_at_the_tables(scene: Scene) -> None:
    with scene.live.watching():
        await settle()
        looks, mine = scene.looks, scene.live.mark("digits")
        scene.beats += 1
        scene.time_passes.set()
        await settle()
        assert scene.live.mark("digits") != mine
        assert scene.looks == looks


async def test_a_first_page_does_not_trust_what_was_known_before(scene: Scene) -> None:
    with scene.live.watching():
        await settle()
        before = scene.live.revision
    await scene.commit(digits=7)
    with scene.live.watching():
        assert scene.live.revision > before
        await settle()
        assert scene.live.mark("digits")[0] == 7


async def test_a_store_that_fails_is_asked_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with scene.live.watching():
        await settle()
        scene.is_broken = True
        await scene.commit()
        scene.is_broken = False
        await scene.commit(digits=3)
        assert scene.live.mark("digits")[0] == 3
    assert "the disk is gone" in caplog.text


class TestShared:
    def setup_method(self) -> None:
        self.shared, self.made = Shared(), 0

    async def make(self) -> str:
        self.made += 1
        number = self.made
        await asyncio.sleep(0)
        return f"text {number}"

    async def test_what_many_look_at_is_made_once(self) -> None:
        found = await asyncio.gather(*(self.shared.get("a", 1, self.make) for _ in range(5)))
        assert found == ["text 1"] * 5

    async def test_another_mark_makes_it_anew(self) -> None:
        await self.shared.get("a", 1, self.make)
        assert await self.shared.get("a", 2, self.make) == "text 2"

    async def test_a_visitor_who_leaves_takes_it_from_nobody(self) -> None:
        first = asyncio.ensure_future(self.shared.get("a", 1, self.make))
        second = asyncio.ensure_future(self.shared.get("a", 1, self.make))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "text 1"

    async def test_a_failure_is_not_kept(self) -> None:
        async def fail() -> str:
            raise StoreError("gone")

        with pytest.raises(StoreError):
            await self.shared.get("a", 1, fail)
        assert await self.shared.get("a", 1, self.make) == "text 1"
