"""Held requests: woken by commits, ended by time, by another poll, by a stop, by a lost client."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.requests import Request

from alectio_agent.hub.api.holds import Holds
from alectio_agent.hub.api.pulse import Pulse
from tests.support.asgi import Exchange, scope_of

pytestmark = pytest.mark.anyio


class Scene:
    """A place to hold requests at, whose time passes only when told."""

    def __init__(self) -> None:
        self.pulse = Pulse()
        self.pulse.listen()
        self.slept: list[float] = []
        self.time_is_up = asyncio.Event()
        self.holds = Holds(self._sleep)
        self.exchange = Exchange([])
        self.request = Request(scope_of("POST", "/v1/claims", {}), self.exchange.receive)
        self.found: list[str] = []
        self.looks = 0

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.time_is_up.wait()

    async def look(self) -> str | None:
        self.looks += 1
        return self.found.pop() if self.found else None

    async def hold(self) -> "asyncio.Task[str | None]":
        """A hold that has looked once and waits."""
        await self.request.body()
        held = asyncio.create_task(self.holds.until_found(self.look, self.pulse, 20, self.request))
        await self.until(lambda: bool(self.slept))
        return held

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            await asyncio.sleep(0)


async def test_what_is_there_is_answered_without_holding() -> None:
    scene = Scene()
    scene.found = ["job"]
    assert await scene.holds.until_found(scene.look, scene.pulse, 20, scene.request) == "job"
    assert scene.slept == []


async def test_without_time_to_wait_nothing_is_held() -> None:
    scene = Scene()
    assert await scene.holds.until_found(scene.look, scene.pulse, 0, scene.request) is None
    assert scene.slept == []


async def test_a_beat_makes_a_held_request_look_again() -> None:
    scene = Scene()
    held = await scene.hold()
    scene.found = ["job"]
    scene.pulse.beat()
    assert await held == "job"


async def test_a_beat_without_work_leaves_the_request_held() -> None:
    scene = Scene()
    held = await scene.hold()
    scene.pulse.beat()
    await scene.until(lambda: scene.looks == 2)
    assert not held.done()
    scene.time_is_up.set()
    assert await held is None


async def test_a_beat_between_look_and_wait_is_not_lost() -> None:
    """A commit may land just after the look; the hold must not sleep through it."""
    scene = Scene()

    async def look_while_work_comes() -> str | None:
        scene.looks += 1
        if scene.looks == 1:
            scene.pulse.beat()
            await scene.until(lambda: not scene.pulse._is_due)
            return None
        return "job"

    found = scene.holds.until_found(look_while_work_comes, scene.pulse, 20, scene.request)
    assert await asyncio.wait_for(found, 5) == "job"


async def test_while_nobody_waits_commits_leave_the_loop_asleep() -> None:
    scene = Scene()
    scene.pulse.beat()
    assert not scene.pulse._is_due
    held = await scene.hold()
    scene.found = ["job"]
    scene.pulse.beat()
    assert await held == "job"


async def test_a_hold_ends_when_its_time_is_up() -> None:
    scene = Scene()
    held = await scene.hold()
    scene.time_is_up.set()
    assert await held is None
    assert scene.slept == [20]


async def test_a_hold_ends_when_its_client_is_gone() -> None:
    """Else a job would be given to a connection that nobody reads."""
    scene = Scene()
    held = await scene.hold()
    scene.exchange.hang_up()
    assert await held is None
    assert scene.looks == 1


async def test_a_stop_ends_all_holds() -> None:
    scene = Scene()
    held = await scene.hold()
    scene.holds.stop()
    assert await held is None
    assert scene.holds.is_stopping


async def test_once_stopping_nothing_is_held() -> None:
    scene = Scene()
    scene.holds.stop()
    assert await scene.holds.until_found(scene.look, scene.pulse, 20, scene.request) is None
    assert scene.looks == 1
    assert scene.slept == []


async def test_an_error_while_looking_again_reaches_the_caller() -> None:
    scene = Scene()

    async def look() -> str | None:
        scene.looks += 1
        if scene.looks > 1:
            raise LookupError("gone")
        return None

    held = asyncio.create_task(scene.holds.until_found(look, scene.pulse, 20, scene.request))
    await scene.until(lambda: bool(scene.slept))
    scene.pulse.beat()
    with pytest.raises(LookupError):
        await held


@pytest.mark.parametrize("end", ["time", "client", "stop"])
async def test_a_hold_that_waits_for_nothing_ends_as_others_do(end: str) -> None:
    scene = Scene()
    held = asyncio.create_task(scene.holds.until_over(20, scene.request))
    await scene.until(lambda: bool(scene.slept))
    assert not held.done()
    {"time": scene.time_is_up.set, "client": scene.exchange.hang_up, "stop": scene.holds.stop}[
        end
    ]()
    await asyncio.wait_for(held, 5)
    assert scene.slept == [20]
    await scene.holds.until_over(0, scene.request)
    assert scene.slept == [20], "nothing to wait for"
