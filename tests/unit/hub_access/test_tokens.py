"""Tokens as rows."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.tokens import (
    create_token,
    digest_of,
    find_token,
    has_tokens,
    list_tokens,
    note_uses,
    revoke_token,
)
from alectio_agent.hub.store.tables import tokens
from alectio_agent.wire.operation import TokenCreate, TokenView
from tests.support.clocks import FakeClock
from tests.support.hub_fakes import InlineStore


@pytest.fixture
def store() -> Iterator[InlineStore]:
    opened = InlineStore()
    yield opened
    opened.close()


def make(store: InlineStore, clock: FakeClock, **asked: object) -> str:
    request = TokenCreate.model_validate({"name": "gpu01", **asked})
    token: str = store.write(lambda tx: create_token(tx, clock, request)).result().token
    return token


def test_only_the_digest_is_stored(store: InlineStore) -> None:
    """Who reads the database must not be able to sign in."""
    token = make(store, FakeClock())
    [row] = store.read(lambda tx: tx.execute(select(tokens)).all()).result()
    assert token not in str(row)
    assert row.sha256 == digest_of(token)


def test_a_token_is_found_by_its_digest_with_scope_and_expiry(store: InlineStore) -> None:
    clock = FakeClock()
    token = make(store, clock, scope="viewer", expires_s=60)
    found = store.read(lambda tx: find_token(tx, digest_of(token))).result()
    assert (found.name, found.scope, found.is_revoked) == ("gpu01", "viewer", False)
    assert found.expires_at == clock.now() + timedelta(seconds=60)


def test_an_unknown_digest_finds_nothing(store: InlineStore) -> None:
    assert store.read(lambda tx: find_token(tx, "0" * 64)).result() is None


def test_a_name_belongs_to_one_good_token(store: InlineStore) -> None:
    """Else `hub token revoke NAME` would not say which."""
    make(store, FakeClock())
    with pytest.raises(ProblemError, match="gpu01 exists already") as caught:
        make(store, FakeClock())
    assert caught.value.problem == "conflict"


def test_the_name_of_an_expired_token_is_free_again(store: InlineStore) -> None:
    clock = FakeClock()
    make(store, clock, expires_s=60)
    clock.advance(61)
    assert make(store, clock)


def test_the_name_of_a_revoked_token_is_free_again(store: InlineStore) -> None:
    make(store, FakeClock())
    store.write(lambda tx: tx.execute(update(tokens).values(revoked_at="2026-01-01"))).result()
    assert make(store, FakeClock())


def test_a_life_without_end_is_refused_as_a_number(store: InlineStore) -> None:
    with pytest.raises(ProblemError, match="expires_s: found 1e\\+30") as caught:
        make(store, FakeClock(), expires_s=1e30)
    assert caught.value.problem == "invalid"


def test_tokens_are_never_alike(store: InlineStore) -> None:
    assert make(store, FakeClock()) != make(store, FakeClock(), name="gpu02")


def test_a_hub_knows_whether_it_ever_made_a_token(store: InlineStore) -> None:
    assert not store.read(has_tokens).result()
    make(store, FakeClock())
    assert store.read(has_tokens).result()


def test_the_last_use_is_noted_as_a_timestamp(store: InlineStore) -> None:
    clock = FakeClock()
    token = make(store, clock)
    token_id = store.read(lambda tx: find_token(tx, digest_of(token))).result().token_id
    store.write(lambda tx: note_uses(tx, {token_id: clock.now()})).result()
    noted = store.read(lambda tx: tx.scalar(select(tokens.c.last_used_at))).result()
    assert noted == "2026-01-01T00:00:00.000Z"


def revoke(store: InlineStore, clock: FakeClock) -> TokenView:
    return store.write(lambda tx: revoke_token(tx, clock, "gpu01")).result()  # type: ignore[no-any-return]


def test_revoking_frees_the_name_and_means_the_good_token(store: InlineStore) -> None:
    clock = FakeClock()
    first = make(store, clock)
    revoke(store, clock)
    clock.advance(1)
    second = make(store, clock)
    assert revoke(store, clock).revoked_at is not None
    for token in (first, second):
        assert store.read(lambda tx, of=token: find_token(tx, digest_of(of))).result().is_revoked
    listed = store.read(list_tokens).result().tokens
    assert [token.created_at for token in listed] == sorted(token.created_at for token in listed)


def test_a_token_that_has_expired_is_not_revoked(store: InlineStore) -> None:
    clock = FakeClock()
    make(store, clock, expires_s=60)
    clock.advance(60)
    with pytest.raises(ProblemError, match="expired already, at 2026-01-01T00:01"):
        revoke(store, clock)
