"""Signing in: what opens the hub, and how little the others are told."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.sessions import Sessions
from alectio_agent.hub.access.tokens import create_token, revoke_token
from alectio_agent.hub.dashboard.desk import Desk
from alectio_agent.hub.dashboard.entrance import Entrance
from alectio_agent.hub.dashboard.live import Live
from alectio_agent.hub.dashboard.sign_in import (
    FAILURE_S,
    FAILURES_IN_S,
    MOST_FAILURES,
    TOO_MANY,
    WRONG,
    SignIn,
)
from alectio_agent.wire.operation import TokenCreate
from tests.support.asgi import Exchange, scope_of
from tests.support.hub_fakes import AGENT_TOKEN, OPERATOR_TOKEN, VIEWER_TOKEN, HubScene

pytestmark = pytest.mark.anyio

OURS = {"Host": "hub", "Origin": "http://hub"}


class Door:
    def __init__(self, folder: Path) -> None:
        self.scene = HubScene(folder)
        services = self.scene.services
        self.sessions = Sessions(services.gate, services.clock, b"k" * 32, "abc", is_box=False)
        self.slept: list[float] = []
        live = Live(services.commits, self._none, lambda: 0)
        desk = Desk(services, live, self.sessions)
        self.sign_in = SignIn(desk, Entrance(self.sessions), self._sleep)

    async def _none(self) -> dict[str, int]:
        return {}

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def try_with(
        self, token: str, *, wanted: str = "/", client: str = "10.0.0.1", **headers: str
    ) -> Response:
        body = urlencode({"token": token, "next": wanted}).encode()
        named = {"Content-Type": "application/x-www-form-urlencoded", **OURS, **headers}
        scope = {**scope_of("POST", "/sign-in", named), "client": (client, 1)}
        return await self.sign_in.sign_in(Request(scope, Exchange([body]).receive))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    yield made
    made.scene.store.close()


def text(answer: Response) -> str:
    return bytes(answer.body).decode()


@pytest.mark.parametrize("token", [OPERATOR_TOKEN, VIEWER_TOKEN, f"  {VIEWER_TOKEN}\n"])
async def test_a_good_token_begins_a_session(door: Door, token: str) -> None:
    answer = await door.try_with(token, wanted="/agents")
    assert (answer.status_code, answer.headers["location"]) == (303, "/agents")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert token.strip() not in cookie


async def test_over_tls_the_cookie_is_for_tls_only(door: Door) -> None:
    answer = await door.try_with(VIEWER_TOKEN, Origin="https://hub")
    assert "Secure" in answer.headers["set-cookie"]


async def test_nobody_is_sent_to_another_site(door: Door) -> None:
    answer = await door.try_with(VIEWER_TOKEN, wanted="//evil.example/")
    assert answer.headers["location"] == "/"


async def test_all_that_is_wrong_with_a_token_is_told_alike(door: Door) -> None:
    scene = door.scene
    made = [
        scene.store.write(
            lambda tx, name=name, life=life: create_token(
                tx, scene.clock, TokenCreate(name=name, scope="viewer", expires_s=life)
            )
        ).result()
        for name, life in (("revoked", None), ("expired", 1.0))
    ]
    scene.store.write(lambda tx: revoke_token(tx, scene.clock, "revoked")).result()
    scene.clock.advance(2)
    for token in ("", "alt_unknown", "x" * 600, *(each.token for each in made)):
        answer = await door.try_with(token)
        assert (answer.status_code, WRONG in text(answer)) == (401, True)
        assert "set-cookie" not in answer.headers
    assert door.slept == [FAILURE_S] * 5


async def test_an_agents_token_is_told_what_it_is(door: Door) -> None:
    answer = await door.try_with(AGENT_TOKEN)
    assert answer.status_code == 403
    assert "agent's token" in text(answer).replace("&#39;", "'")


async def test_after_many_failures_an_address_waits(door: Door) -> None:
    for _ in range(MOST_FAILURES):
        await door.try_with("wrong")
    refused = await door.try_with(OPERATOR_TOKEN)
    assert (refused.status_code, TOO_MANY in text(refused)) == (429, True)
    assert (await door.try_with(OPERATOR_TOKEN, client="10.0.0.2")).status_code == 303
    door.scene.clock.advance(FAILURES_IN_S)
    assert (await door.try_with(OPERATOR_TOKEN)).status_code == 303


async def test_a_form_of_another_site_signs_nobody_in(door: Door) -> None:
    """Else somebody else's session would be slipped under a person."""
    with pytest.raises(ProblemError):
        await door.try_with(VIEWER_TOKEN, Origin="http://evil.example")


async def test_the_token_is_not_shown_again(door: Door) -> None:
    assert "alt_almost" not in text(await door.try_with("alt_almost"))
