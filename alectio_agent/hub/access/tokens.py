"""Bearer tokens as rows: made, found, counted, their last use noted. Only digests are stored."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import ProblemError
from alectio_agent.core.ids import new_id, new_token
from alectio_agent.hub.store.tables import tokens
from alectio_agent.wire.operation import Scope, TokenCreate, TokenCreated, TokenList, TokenView

_USED = (
    update(tokens).where(tokens.c.token_id == bindparam("of")).values(last_used_at=bindparam("at"))
)
LONGEST_LIFE_S = 100 * 365 * 86400.0


@dataclass(frozen=True)
class StoredToken:
    """What the hub knows about a token; never the token itself.

    Attributes:
        sha256: Digest of the token, in hexadecimal.
        expires_at: None when it never does.
    """

    token_id: str
    name: str
    scope: Scope
    sha256: str
    expires_at: datetime | None = None
    is_revoked: bool = False


def digest_of(token: str) -> str:
    """The digest under which a token is stored.

    Args:
        token: As it travels.

    Returns:
        SHA-256 in hexadecimal. The token has 256 random bits, so that a slow hash adds nothing.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def create_token(tx: Connection, clock: Clock, request: TokenCreate) -> TokenCreated:
    """Make a token.

    Args:
        tx: A writing transaction.
        clock: For the time of making and expiry.
        request: Name, scope, life.

    Returns:
        The token, in the only answer that ever holds it.

    Raises:
        ProblemError: `conflict`: a token of that name is still good. `invalid`: a life of more
            than a hundred years.
    """
    now = clock.now()
    if _is_taken(tx, request.name, now):
        raise ProblemError(
            "conflict",
            f"a token named {request.name} exists already; expected another name",
            code="E-HUB-04",
        )
    token, expires_at = new_token(), _expiry(now, request.expires_s)
    row = {
        "token_id": new_id(),
        "name": request.name,
        "scope": request.scope,
        "sha256": digest_of(token),
        "created_at": timestamp(now),
        "expires_at": expires_at,
    }
    tx.execute(insert(tokens).values(row))
    return TokenCreated(
        token_id=row["token_id"] or "",
        name=request.name,
        scope=request.scope,
        token=token,
        expires_at=expires_at,
    )


def find_token(tx: Connection, sha256: str) -> StoredToken | None:
    """Look a token up.

    Args:
        tx: Any transaction.
        sha256: Its digest, in hexadecimal.

    Returns:
        Its row, None when there is none.
    """
    return _stored(tx.execute(select(tokens).where(tokens.c.sha256 == sha256)).one_or_none())


def token_with_id(tx: Connection, token_id: str) -> StoredToken | None:
    """Look a token up by the id of its row.

    Args:
        tx: Any transaction.
        token_id: Of the row.

    Returns:
        Its row, None when there is none.
    """
    return _stored(tx.execute(select(tokens).where(tokens.c.token_id == token_id)).one_or_none())


def _stored(row: Row[Any] | None) -> StoredToken | None:
    if row is None:
        return None
    return StoredToken(
        token_id=row.token_id,
        name=row.name,
        scope=row.scope,
        sha256=row.sha256,
        expires_at=None if row.expires_at is None else datetime.fromisoformat(row.expires_at),
        is_revoked=row.revoked_at is not None,
    )


def list_tokens(tx: Connection) -> TokenList:
    """All tokens that were ever made, oldest first; none of them tells the token itself.

    Args:
        tx: Any transaction.
    """
    rows = tx.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.token_id))
    return TokenList(tokens=[_view(row) for row in rows])


def revoke_token(tx: Connection, clock: Clock, name: str) -> TokenView:
    """Let a token open nothing any more.

    Args:
        tx: A writing transaction.
        clock: For the time of revoking.
        name: Of the good token; its name may be given to another afterwards.

    Returns:
        The token, revoked.

    Raises:
        ProblemError: `not-found`, or `conflict`: it is good no more.
    """
    named = select(tokens).where(tokens.c.name == name).order_by(tokens.c.created_at.desc())
    rows = tx.execute(named).all()
    if not rows:
        raise ProblemError("not-found", f"no token is called `{name}`", code="E-HUB-04")
    now = timestamp(clock.now())
    good = [row for row in rows if row.revoked_at is None and not _is_past(row.expires_at, now)]
    if not good:
        newest = rows[0]
        was, at = ("was revoked", newest.revoked_at) if newest.revoked_at else (
            "has expired", newest.expires_at)  # fmt: skip
        raise ProblemError(
            "conflict", f"the token `{name}` {was} already, at {at}", code="E-HUB-04"
        )
    found = tokens.c.token_id == good[0].token_id
    tx.execute(update(tokens).where(found).values(revoked_at=now))
    return _view(tx.execute(select(tokens).where(found)).one())


def note_uses(tx: Connection, uses: Mapping[str, datetime]) -> None:
    """Note when tokens were last used.

    Args:
        tx: A writing transaction.
        uses: Id of each token, and when.
    """
    rows = [{"of": token_id, "at": timestamp(moment)} for token_id, moment in uses.items()]
    tx.execute(_USED, rows)


def has_tokens(tx: Connection) -> bool:
    """Whether a token was ever made here; a hub without any starts for the first time.

    Args:
        tx: Any transaction.
    """
    return bool(tx.scalar(select(func.count()).select_from(tokens)))


def _view(row: Row[Any]) -> TokenView:
    return TokenView(
        token_id=row.token_id,
        name=row.name,
        scope=row.scope,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def _is_past(moment: str | None, now: str) -> bool:
    return moment is not None and moment <= now


def _is_taken(tx: Connection, name: str, now: datetime) -> bool:
    # All moments are written in one form, in UTC, so that their texts sort as they do.
    still_good = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > timestamp(now))
    found = select(tokens.c.token_id).where(
        tokens.c.name == name, tokens.c.revoked_at.is_(None), still_good
    )
    return tx.execute(found).first() is not None


def _expiry(now: datetime, expires_s: float | None) -> str | None:
    if expires_s is None:
        return None
    if expires_s > LONGEST_LIFE_S:
        raise ProblemError(
            "invalid", f"expires_s: found {expires_s:g}; expected at most {LONGEST_LIFE_S:g}"
        )
    return timestamp(now + timedelta(seconds=expires_s))
