"""Agents that wait are woken by jobs, not by every commit."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from alectio_agent.core.errors import StoreBusyError
from alectio_agent.hub.api.job_watch import JobWatch
from alectio_agent.hub.api.pulse import Pulse

pytestmark = pytest.mark.anyio


class Scene:
    def __init__(self) -> None:
        self.commits, self.jobs = Pulse(), Pulse()
        self.commits.listen()
        self.jobs.listen()
        self.marks: list[int | Exception | None] = []
        self.reads = 0
        self.is_needed = True
        self.watch = JobWatch(self.commits, self.jobs, self._read, lambda: self.is_needed)

    async def _read(self) -> int | None:
        self.reads += 1
        mark = self.marks.pop(0)
        if isinstance(mark, Exception):
            raise mark
        return mark

    async def commit(self, mark: int | Exception | None = None) -> bool:
        """A commit; whether it woke those who wait."""
        self.marks = [mark]
        beat = self.jobs.next_beat()
        self.commits.beat()
        for _ in range(10):
            await asyncio.sleep(0)
        return beat.is_set()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    watching = asyncio.create_task(made.watch.run())
    await asyncio.sleep(0)
    yield made
    watching.cancel()


async def test_a_commit_that_leaves_no_job_wakes_nobody(scene: Scene) -> None:
    assert not await scene.commit(None)


async def test_a_new_state_with_a_job_wakes(scene: Scene) -> None:
    assert await scene.commit(7)


async def test_the_same_state_again_wakes_nobody(scene: Scene) -> None:
    """The looks of those who were woken are commits too: they would wake each other for ever."""
    await scene.commit(7)
    assert not await scene.commit(7)
    assert await scene.commit(8)


async def test_while_nobody_waits_nothing_is_read(scene: Scene) -> None:
    scene.is_needed = False
    await scene.commit(7)
    assert scene.reads == 0


async def test_a_store_that_refuses_once_does_not_end_the_watch(scene: Scene) -> None:
    assert not await scene.commit(StoreBusyError("locked"))
    assert await scene.commit(7)


async def test_a_beat_without_a_listening_loop_falls_flat() -> None:
    Pulse().beat()


async def test_after_deafen_beats_of_late_threads_fall_flat(scene: Scene) -> None:
    scene.commits.deafen()
    assert not await scene.commit(9)
    assert scene.reads == 0
