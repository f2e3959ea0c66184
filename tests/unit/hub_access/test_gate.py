"""The gate: who gets in, and what the others are told."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import AGENT, ANYONE, CACHE_S, OPERATOR, READER, Gate
from alectio_agent.hub.access.tokens import create_token
from alectio_agent.hub.store.tables import tokens
from alectio_agent.wire.operation import TokenCreate
from tests.support.clocks import FakeClock
from tests.support.hub_fakes import InlineStore

pytestmark = pytest.mark.anyio

PROCESS_TOKEN = "of-this-process"


class Door:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = InlineStore()
        self.gate = Gate(self.store, self.clock, {PROCESS_TOKEN: "agent"})  # type: ignore[arg-type]

    def make(self, **asked: object) -> str:
        request = TokenCreate.model_validate({"name": "gpu01", **asked})
        token: str = (
            self.store.write(lambda tx: create_token(tx, self.clock, request)).result().token
        )
        self.store.writes = 0
        return token

    def revoke_all(self) -> None:
        self.store.write(lambda tx: tx.execute(update(tokens).values(revoked_at="now"))).result()

    async def refused(self, header: str | None, allowed: frozenset = ANYONE) -> str:  # type: ignore[type-arg]
        with pytest.raises(ProblemError) as caught:
            await self.gate.admit(header, allowed)
        return caught.value.problem


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.store.close()


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer wrong", "Bearer \xff",
     "Bearer " + "x" * 513],
)  # fmt: skip
async def test_without_a_token_that_is_known_nobody_gets_in(door: Door, header: str | None) -> None:
    assert await door.refused(header) == "unauthorized"


async def test_a_good_token_gets_in_by_its_scope(door: Door) -> None:
    token = door.make(scope="viewer")
    assert (await door.gate.admit(f"Bearer {token}", READER)).scope == "viewer"


async def test_the_scheme_may_be_written_in_any_case(door: Door) -> None:
    assert await door.gate.admit(f"bearer {door.make()}", AGENT)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("agent", OPERATOR), ("agent", READER), ("viewer", OPERATOR), ("operator", AGENT)],
)
async def test_another_scope_is_forbidden(door: Door, scope: str, allowed: frozenset) -> None:  # type: ignore[type-arg]
    token = door.make(scope=scope)
    assert await door.refused(f"Bearer {token}", allowed) == "forbidden"


async def test_an_expired_token_is_refused_even_while_it_is_cached(door: Door) -> None:
    token = door.make(expires_s=3)
    await door.gate.admit(f"Bearer {token}", AGENT)
    door.clock.advance(3)
    assert await door.refused(f"Bearer {token}") == "expired"


async def test_a_revoked_token_is_refused_within_seconds(door: Door) -> None:
    token = door.make()
    await door.gate.admit(f"Bearer {token}", AGENT)
    door.revoke_all()
    door.clock.advance(CACHE_S)
    assert await door.refused(f"Bearer {token}") == "revoked"


async def test_a_token_made_just_now_gets_in_although_it_was_refused_before(door: Door) -> None:
    """A refusal must not be cached: somebody is just mending it."""
    assert await door.refused("Bearer later") == "unauthorized"
    token = door.make()
    assert await door.gate.admit(f"Bearer {token}", AGENT)


async def test_a_token_of_the_process_gets_in_and_is_never_stored(door: Door) -> None:
    assert (await door.gate.admit(f"Bearer {PROCESS_TOKEN}", AGENT)).scope == "agent"
    assert door.store.writes == 0
    assert door.store.read(lambda tx: tx.execute(select(tokens)).all()).result() == []


async def test_a_token_of_the_process_has_its_scope_only(door: Door) -> None:
    assert await door.refused(f"Bearer {PROCESS_TOKEN}", OPERATOR) == "forbidden"


async def test_the_last_use_is_written_at_most_once_a_minute(door: Door) -> None:
    token = door.make()
    for _ in range(12):
        await door.gate.admit(f"Bearer {token}", AGENT)
        door.clock.advance(10)
    assert door.store.writes == 2


async def test_uses_of_many_tokens_are_written_together(door: Door) -> None:
    """Thousands of agents poll each minute: their tokens must not be as many commits."""
    made = [door.make(name=f"gpu{at}") for at in range(20)]
    for token in made:
        await door.gate.admit(f"Bearer {token}", AGENT)
    door.gate.write_uses()
    assert door.store.writes == 2
    used = door.store.read(lambda tx: tx.execute(select(tokens.c.last_used_at)).scalars().all())
    assert None not in used.result()


async def test_whoever_holds_a_call_open_hears_that_its_token_changed(door: Door) -> None:
    changed: list[str] = []
    door.gate.on_forget(changed.append)
    door.gate.forget("gpu01")
    assert changed == ["gpu01"]


async def test_a_refused_call_is_no_use_of_a_token(door: Door) -> None:
    token = door.make()
    await door.refused(f"Bearer {token}", OPERATOR)
    assert door.store.writes == 0


async def test_a_message_names_the_token_and_never_shows_it(door: Door) -> None:
    token = door.make()
    with pytest.raises(ProblemError, match=r"gpu01 has scope agent; .* operator") as caught:
        await door.gate.admit(f"Bearer {token}", OPERATOR)
    assert token not in str(caught.value)


async def test_a_row_that_was_read_before_its_token_was_revoked_is_not_kept(door: Door) -> None:
    token = door.make()
    read = door.store.read

    def revoked_meanwhile(work):  # type: ignore[no-untyped-def]
        found = read(work)
        door.revoke_all()
        door.gate.forget("gpu01")
        return found

    door.store.read = revoked_meanwhile  # type: ignore[method-assign]
    await door.gate.admit(f"Bearer {token}", ANYONE)
    door.store.read = read  # type: ignore[method-assign]
    assert await door.refused(f"Bearer {token}") == "revoked"
