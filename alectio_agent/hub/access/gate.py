"""Lets a request in, or says why not. A check costs one SHA-256; rows are cached for seconds."""

import asyncio
import hmac
import logging
from asyncio import wrap_future
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.hub.access.tokens import (
    StoredToken,
    digest_of,
    find_token,
    note_uses,
    token_with_id,
)
from alectio_agent.hub.store.store import Store
from alectio_agent.wire.operation import Scope

log = logging.getLogger(__name__)

CACHE_S = 60.0
"""What is revoked through this hub is refused at once; by another hand in its database, so late."""
CACHED_TOKENS = 65536
USE_EVERY_S = 60.0
USES_EVERY_S = 5.0
"""Uses of all tokens are written together, at most so often."""
LONGEST_TOKEN = 512

AGENT: frozenset[Scope] = frozenset({"agent"})
OPERATOR: frozenset[Scope] = frozenset({"operator"})
READER: frozenset[Scope] = frozenset({"operator", "viewer"})
ANYONE: frozenset[Scope] = frozenset({"agent", "operator", "viewer"})


@dataclass(frozen=True)
class _Cached:
    token: StoredToken
    read_at: float


class Gate:
    """Checks bearer tokens; used from the event loop only."""

    def __init__(self, store: Store, clock: Clock, process_tokens: Mapping[str, Scope]) -> None:
        """Start with an empty cache.

        Args:
            store: Holds the rows of tokens.
            clock: For expiry, the cache and the last use.
            process_tokens: Token to scope; good as long as this process lives, never stored.
        """
        self._store = store
        self._clock = clock
        self._process_tokens = [
            # Each process has others: what names one of this process must not name the next one's.
            StoredToken(
                f"process-{digest_of(token)[:32]}", f"process-{scope}", scope, digest_of(token)
            )
            for token, scope in process_tokens.items()
        ]
        self._cache: dict[str, _Cached] = {}
        self._noted: dict[str, float] = {}
        self._uses: dict[str, datetime] = {}
        self._written_at = float("-inf")
        self._forgotten = 0
        self._on_forget: list[Callable[[str], None]] = []

    async def admit(self, authorization: str | None, allowed: frozenset[Scope]) -> StoredToken:
        """Let a request in.

        Args:
            authorization: The header of that name.
            allowed: Scopes of which the token must have one.

        Returns:
            The token's row.

        Raises:
            ProblemError: `unauthorized`, `revoked`, `expired` or `forbidden`.
        """
        return self.check(await self.identify(_bearer(authorization)), allowed)

    async def identify(self, token: str) -> StoredToken:
        """Find a token, good or not.

        Args:
            token: As it travels.

        Returns:
            The token's row; `check` says whether it opens anything.

        Raises:
            ProblemError: `unauthorized`: this hub does not know it.
        """
        sha256 = digest_of(token)
        known = self._of_this_process(sha256)
        if known is None:
            known = await self._stored(sha256, partial(find_token, sha256=sha256))
            if not hmac.compare_digest(known.sha256, sha256):
                raise _unknown()
        return known

    async def recall(self, token_id: str) -> StoredToken:
        """Find the token that a session names.

        Args:
            token_id: Of its row.

        Returns:
            The token's row; `check` says whether it still opens anything.

        Raises:
            ProblemError: `unauthorized`: there is no such token, or it was of an earlier process.
        """
        for token in self._process_tokens:
            if token.token_id == token_id:
                return token
        return await self._stored(f"id {token_id}", partial(token_with_id, token_id=token_id))

    def check(self, token: StoredToken, allowed: frozenset[Scope]) -> StoredToken:
        """Say whether a token opens something now, and note that it was used.

        Args:
            token: Its row.
            allowed: Scopes of which it must have one.

        Returns:
            The same row.

        Raises:
            ProblemError: `revoked`, `expired` or `forbidden`.
        """
        if token.is_revoked:
            raise ProblemError("revoked", f"the token {token.name} was revoked")
        if token.expires_at is not None and token.expires_at <= self._clock.now():
            raise ProblemError("expired", f"the token {token.name} has expired")
        if token.scope not in allowed:
            raise ProblemError(
                "forbidden",
                f"the token {token.name} has scope {token.scope}; this call needs "
                f"{' or '.join(sorted(allowed))}",
            )
        self._note_use(token)
        return token

    def forget(self, name: str) -> None:
        """A token of that name changed: its next use asks the table.

        Args:
            name: Of the token.
        """
        self._forgotten += 1
        self._cache = {
            key: cached for key, cached in self._cache.items() if cached.token.name != name
        }
        for callback in self._on_forget:
            callback(name)

    def on_forget(self, callback: Callable[[str], None]) -> None:
        """Be told that a token changed.

        Args:
            callback: Given its name; from the event loop.
        """
        self._on_forget.append(callback)

    def _of_this_process(self, sha256: str) -> StoredToken | None:
        found = None
        for token in self._process_tokens:
            if hmac.compare_digest(token.sha256, sha256):
                found = token
        return found

    async def _stored(
        self, key: str, find: Callable[[Connection], StoredToken | None]
    ) -> StoredToken:
        now = self._clock.monotonic()
        cached = self._cache.get(key)
        if cached is not None and now - cached.read_at < CACHE_S:
            return cached.token
        forgotten = self._forgotten
        token = await wrap_future(self._store.read(find))
        if token is None:
            self._cache.pop(key, None)
            raise _unknown()
        if len(self._cache) >= CACHED_TOKENS:
            self._cache.clear()
        if forgotten == self._forgotten:  # else it may have been read before it was revoked
            self._cache[key] = _Cached(token, now)
        return token

    def _note_use(self, token: StoredToken) -> None:
        """Note the last use, at most once a minute, without making the request wait for it."""
        now = self._clock.monotonic()
        last = self._noted.get(token.token_id)
        if token in self._process_tokens or (last is not None and now - last < USE_EVERY_S):
            return
        self._noted[token.token_id] = now
        self._uses[token.token_id] = self._clock.now()
        wait_s = self._written_at + USES_EVERY_S - now
        if wait_s <= 0:
            self.write_uses()
        elif len(self._uses) == 1:
            # Thousands of agents that poll would else be a commit each.
            asyncio.get_running_loop().call_later(wait_s, self.write_uses)

    def write_uses(self) -> None:
        """Write the uses that were noted since the last time; from the event loop."""
        if not self._uses:
            return
        uses, self._uses = self._uses, {}
        self._written_at = self._clock.monotonic()
        try:
            noted = self._store.write(lambda tx: note_uses(tx, uses))
        except StoreError as error:  # the hub is closing
            log.warning("the last use of tokens was not noted: %s", error)
            return
        noted.add_done_callback(_log_failure)


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
        raise ProblemError("unauthorized", "expected the header `Authorization: Bearer TOKEN`")
    return token


def _unknown() -> ProblemError:
    return ProblemError("unauthorized", "this hub does not know the token")


def _log_failure(noted: Future[None]) -> None:
    if not noted.cancelled() and noted.exception() is not None:
        log.warning("the last use of a token was not noted: %s", noted.exception())
