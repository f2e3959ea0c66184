"""Sessions: who has one, how it ends, and that its cookie tells nothing and cannot be made up."""

import base64

import pytest

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import OPERATOR, READER, Gate
from alectio_agent.hub.access.sessions import BOX, LIFE_S, Session, Sessions
from alectio_agent.hub.access.tokens import create_token, revoke_token
from alectio_agent.wire.operation import TokenCreate
from tests.support.clocks import FakeClock
from tests.support.hub_fakes import InlineStore

pytestmark = pytest.mark.anyio

PROCESS_TOKEN = "of-this-process"


class Porch:
    def __init__(self, *, is_box: bool = False, process_token: str = PROCESS_TOKEN) -> None:
        self.clock = FakeClock()
        self.store = InlineStore()
        self.gate = Gate(self.store, self.clock, {process_token: "operator"})  # type: ignore[arg-type]
        self.sessions = self.make(b"k" * 32, is_box=is_box)

    def make(self, key: bytes, *, is_box: bool = False) -> Sessions:
        return Sessions(self.gate, self.clock, key, "abc", is_box=is_box)

    def token(self, scope: str = "viewer", **asked: object) -> str:
        wanted = TokenCreate.model_validate({"name": "eve", "scope": scope, **asked})
        made = self.store.write(lambda tx: create_token(tx, self.clock, wanted)).result()
        return str(made.token)

    async def signed_in(self, token: str) -> Session:
        return self.sessions.begin(await self.gate.identify(token))

    def cookie(self, session: Session) -> str:
        return f"theme=dark; {self.sessions.cookie}={self.sessions.write(session)}; other"

    async def refused(self, cookies: str | None, sessions: Sessions | None = None) -> str:
        with pytest.raises(ProblemError) as caught:
            await (sessions or self.sessions).find(cookies, READER)
        return caught.value.problem


@pytest.fixture
def porch() -> Porch:
    return Porch()


async def test_a_session_is_found_among_other_cookies(porch: Porch) -> None:
    session = await porch.signed_in(porch.token())
    found = await porch.sessions.find(porch.cookie(session), READER)
    assert (found.nonce, found.token.name, found.is_operator) == (session.nonce, "eve", False)


async def test_the_cookie_does_not_hold_the_token(porch: Porch) -> None:
    token = porch.token()
    cookie = porch.sessions.write(await porch.signed_in(token))
    payload = base64.urlsafe_b64decode(cookie.split(".")[0] + "==")
    assert token not in cookie
    assert token.encode() not in payload


@pytest.mark.parametrize(
    "cookies", [None, "", "alectio_abc=", "alectio_abc=x.y", "alectio_abc=%00"]
)
async def test_without_a_cookie_of_ours_nobody_is_signed_in(
    porch: Porch, cookies: str | None
) -> None:
    assert await porch.refused(cookies) == "unauthorized"


async def test_a_changed_cookie_opens_nothing(porch: Porch) -> None:
    cookie = porch.cookie(await porch.signed_in(porch.token()))
    value = porch.sessions.write(porch.sessions.begin(BOX))
    stranger = porch.make(b"x" * 32).write(porch.sessions.begin(BOX))
    for changed in (cookie[:-8], f"alectio_abc={value[:-1]}", f"alectio_abc={stranger}"):
        assert await porch.refused(changed) == "unauthorized"


async def test_another_key_ends_all_sessions(porch: Porch) -> None:
    cookie = porch.cookie(await porch.signed_in(porch.token()))
    assert await porch.refused(cookie, porch.make(b"n" * 32)) == "unauthorized"


async def test_a_session_ends_after_its_time(porch: Porch) -> None:
    cookie = porch.cookie(await porch.signed_in(porch.token()))
    porch.clock.advance(LIFE_S - 1)
    await porch.sessions.find(cookie, READER)
    porch.clock.advance(1)
    assert await porch.refused(cookie) == "expired"


async def test_signing_out_ends_it_for_copies_too(porch: Porch) -> None:
    session = await porch.signed_in(porch.token())
    porch.sessions.end(session)
    assert await porch.refused(porch.cookie(session)) == "expired"


async def test_signing_out_ends_no_other_session_of_the_token(porch: Porch) -> None:
    token = porch.token()
    first, second = await porch.signed_in(token), await porch.signed_in(token)
    porch.sessions.end(first)
    await porch.sessions.find(porch.cookie(second), READER)


async def test_a_revoked_token_ends_its_sessions_at_once(porch: Porch) -> None:
    cookie = porch.cookie(await porch.signed_in(porch.token()))
    await porch.sessions.find(cookie, READER)
    porch.store.write(lambda tx: revoke_token(tx, porch.clock, "eve")).result()
    porch.gate.forget("eve")
    assert await porch.refused(cookie) == "revoked"


async def test_an_expired_token_ends_its_sessions(porch: Porch) -> None:
    cookie = porch.cookie(await porch.signed_in(porch.token(expires_s=60)))
    porch.clock.advance(61)
    assert await porch.refused(cookie) == "expired"


async def test_a_viewers_session_is_no_operators(porch: Porch) -> None:
    cookie = porch.cookie(await porch.signed_in(porch.token()))
    with pytest.raises(ProblemError) as caught:
        await porch.sessions.find(cookie, OPERATOR)
    assert caught.value.problem == "forbidden"


async def test_a_token_of_an_earlier_process_opens_nothing(porch: Porch) -> None:
    """The key outlives the process; what only the process knew must not."""
    cookie = porch.cookie(await porch.signed_in(PROCESS_TOKEN))
    await porch.sessions.find(cookie, OPERATOR)
    later = Porch(process_token="of-the-next-process")
    assert await later.refused(cookie) == "unauthorized"


async def test_the_box_takes_its_own_person(porch: Porch) -> None:
    box = Porch(is_box=True)
    cookie = box.cookie(box.sessions.begin(BOX))
    assert (await box.sessions.find(cookie, OPERATOR)).is_operator
    # The same cookie at a hub that people sign in at names a token that is none.
    assert await porch.refused(cookie) == "unauthorized"


async def test_the_key_of_forms_belongs_to_one_session(porch: Porch) -> None:
    one, other = await porch.signed_in(PROCESS_TOKEN), await porch.signed_in(PROCESS_TOKEN)
    key = porch.sessions.form_key(one)
    assert porch.sessions.is_form_key(one, key)
    assert not porch.sessions.is_form_key(other, key)
    assert not porch.sessions.is_form_key(one, "")
    assert not porch.sessions.is_form_key(one, "\ud800")
