"""The line of an open page: told of changes, kept alive, ended in time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request

from alectio_agent.hub.access.sessions import Session, Sessions
from alectio_agent.hub.dashboard.events import Events
from alectio_agent.hub.dashboard.live import Live
from tests.support.asgi import scope_of
from tests.support.hub_fakes import VIEWER_TOKEN, HubScene

pytestmark = pytest.mark.anyio


class Line:
    """One page that listens; time passes only when told."""

    def __init__(self, folder: Path) -> None:
        self.scene = HubScene(folder)
        services = self.scene.services
        services.commits.listen()
        self.versions = {"digits": 1}
        self.sessions = Sessions(services.gate, services.clock, b"k" * 32, "abc", is_box=False)
        self.live = Live(services.commits, self.read, lambda: 0, self.pause)
        self.time_is_up = asyncio.Event()
        self.events = Events(self.live, self.sessions, services.holds, self.until_up)
        self.heard: list[str] = []
        self.clocks = 0
        self.session: Session | None = None

    async def read(self) -> dict[str, int]:
        return dict(self.versions)

    async def pause(self, seconds: float) -> None:
        if seconds > 1:
            await asyncio.Event().wait()

    async def until_up(self, _: float) -> None:
        self.clocks += 1
        await self.time_is_up.wait()
        self.time_is_up.clear()

    async def listen(self, experiment: str | None = None) -> None:
        self.session = self.sessions.begin(await self.scene.services.gate.identify(VIEWER_TOKEN))
        cookie = f"{self.sessions.cookie}={self.sessions.write(self.session)}"
        request = Request(scope_of("GET", "/events", {"Cookie": cookie}))
        async for told in self.events._tell(request, experiment):
            self.heard.append(told.split("\n")[0])

    async def commit(self, **versions: int) -> None:
        self.versions |= versions
        self.scene.services.commits.beat()
        await settle()


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    made = Line(tmp_path)
    running = asyncio.ensure_future(made.live.run())
    yield made
    running.cancel()
    made.scene.store.close()


async def opened(line: Line, experiment: str | None = None) -> "asyncio.Task[None]":
    task = asyncio.ensure_future(line.listen(experiment))
    await settle()
    line.heard.clear()
    return task


async def test_a_page_hears_of_its_own_experiment_only(line: Line) -> None:
    task = await opened(line, "digits")
    await line.commit(other=1)
    assert line.heard == []
    await line.commit(digits=2)
    assert line.heard == ["event: changed"]
    task.cancel()


async def test_a_list_hears_of_every_commit(line: Line) -> None:
    task = await opened(line)
    await line.commit(other=1)
    assert line.heard == ["event: changed"]
    task.cancel()


async def test_a_quiet_line_is_kept_alive(line: Line) -> None:
    task = await opened(line, "digits")
    line.time_is_up.set()
    await settle()
    assert line.heard == [": still here"]
    task.cancel()


async def test_a_list_looks_at_contacts_now_and_then(line: Line) -> None:
    task = await opened(line)
    line.time_is_up.set()
    await settle()
    assert line.heard == ["event: changed"]
    task.cancel()


async def test_a_page_looks_now_and_then_at_what_happened_to_others(line: Line) -> None:
    """Its report tells of the control, and of the same experiment with other seeds."""
    task = await opened(line, "digits")
    await line.commit(other=1)
    assert line.heard == []
    line.time_is_up.set()
    await settle()
    assert line.heard == ["event: changed"]
    line.time_is_up.set()
    await settle()
    assert line.heard == ["event: changed", ": still here"]
    task.cancel()


async def test_changes_of_others_do_not_put_off_the_heartbeat(line: Line) -> None:
    """The clock of a line goes on; only a heartbeat that came starts it anew."""
    task = await opened(line, "digits")
    started = line.clocks
    for version in range(5):
        await line.commit(other=version)
    assert line.clocks == started
    line.time_is_up.set()
    await settle()
    assert line.clocks == started + 1
    task.cancel()


async def test_the_line_ends_with_the_hub(line: Line) -> None:
    task = await opened(line)
    line.scene.services.holds.stop()
    await asyncio.wait_for(task, 5)
    assert not line.live.is_watched


async def test_the_line_ends_with_the_session(line: Line) -> None:
    """Any commit will do: the one that revoked the token is one."""
    task = await opened(line, "digits")
    assert line.session is not None
    line.sessions.end(line.session)
    await line.commit(other=9)
    await asyncio.wait_for(task, 5)
    assert line.heard == ["event: over"]
