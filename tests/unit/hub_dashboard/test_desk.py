"""Pages that several visitors look at are drawn once, and again when they may say more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from alectio_agent.hub.access.sessions import BOX, Session, Sessions
from alectio_agent.hub.access.tokens import StoredToken
from alectio_agent.hub.dashboard.desk import KEPT_S, Desk
from alectio_agent.hub.dashboard.live import Live
from alectio_agent.hub.dashboard.pages import FORM_KEY_PLACE
from alectio_agent.hub.dashboard.visit import Visit
from tests.support.asgi import scope_of
from tests.support.hub_fakes import HubScene

pytestmark = pytest.mark.anyio


class Drawn:
    """A page, and how often it was drawn."""

    def __init__(self, folder: Path) -> None:
        self.scene = HubScene(folder)
        services = self.scene.services
        self.sessions = Sessions(services.gate, services.clock, b"k" * 32, "abc", is_box=True)
        self.live = Live(services.commits, self._none, lambda: 0)
        self.desk = Desk(services, self.live, self.sessions)
        self.times = 0

    async def _none(self) -> dict[str, int]:
        return {}

    async def make(self) -> str:
        self.times += 1
        return FORM_KEY_PLACE

    async def look(self, session: Session, *, is_part: bool = True) -> str:
        headers = {"X-Fragment": "1"} if is_part else {}
        visit = Visit(Request(scope_of("GET", "/", headers)), session)
        return bytes((await self.desk.show(visit, "page", self.make)).body).decode()


OPERATOR = Session("n", BOX, 0.0)
VIEWER = Session("m", StoredToken("t", "eve", "viewer", ""), 0.0)


@pytest.fixture
def drawn(tmp_path: Path) -> Iterator[Drawn]:
    made = Drawn(tmp_path)
    with made.live.watching():
        yield made
    made.scene.store.close()


async def test_all_open_pages_of_a_scope_share_one_drawing(drawn: Drawn) -> None:
    for _ in range(3):
        await drawn.look(OPERATOR)
    assert drawn.times == 1
    await drawn.look(VIEWER)
    assert drawn.times == 2, "viewers see no buttons"


async def test_the_forms_of_each_visitor_have_a_key_of_their_own(drawn: Drawn) -> None:
    other = Session("o", BOX, 0.0)
    keys = [await drawn.look(session) for session in (OPERATOR, other)]
    assert keys == [drawn.sessions.form_key(session) for session in (OPERATOR, other)]
    assert keys[0] != keys[1]


async def test_a_change_has_it_drawn_again(drawn: Drawn) -> None:
    await drawn.look(OPERATOR)
    drawn.live.revision += 1
    await drawn.look(OPERATOR)
    assert drawn.times == 2


async def test_time_alone_has_it_drawn_again(drawn: Drawn) -> None:
    """An agent that falls silent changes nothing in the tables."""
    await drawn.look(OPERATOR)
    drawn.scene.clock.advance(KEPT_S)
    await drawn.look(OPERATOR)
    assert drawn.times == 2


async def test_whoever_opens_a_page_sees_what_is_now(drawn: Drawn) -> None:
    for _ in range(2):
        await drawn.look(OPERATOR, is_part=False)
    assert drawn.times == 2
