"""Sessions of people in a browser: a signed cookie that names a token, and never holds it."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.access.tokens import StoredToken
from alectio_agent.wire.operation import Scope

LIFE_S = 12 * 3600.0
"""A day at work; whoever comes back the next morning signs in again."""
LONGEST_COOKIES = 16384
MOST_ENDED = 10_000
BOX = StoredToken("box", "this machine", "operator", "")
"""Who looks at the hub in the box: the person that runs it."""


@dataclass(frozen=True)
class Session:
    """Somebody who signed in.

    Attributes:
        nonce: Random, another one for each sign-in.
        token: What they signed in with.
        ends_at: Seconds since 1970.
    """

    nonce: str
    token: StoredToken
    ends_at: float

    @property
    def is_operator(self) -> bool:
        """Whether they may change anything."""
        return self.token.scope == "operator"


class Sessions:
    """Makes and checks sessions; used from the event loop only.

    What the cookie says is signed, and nothing else is kept: a restart of the hub ends no session.
    Those that signed out are remembered by this process, so that a stolen cookie dies with them.
    """

    def __init__(self, gate: Gate, clock: Clock, key: bytes, mark: str, *, is_box: bool) -> None:
        """Start without any.

        Args:
            gate: Knows the tokens.
            clock: For expiry.
            key: Signs; another one makes all sessions void.
            mark: Part of the cookie's name: browsers do not keep cookies of two ports apart.
            is_box: This is the hub in the box: its person need not sign in.
        """
        self.cookie = f"alectio_{mark}"
        self.is_box = is_box
        self._gate = gate
        self._clock = clock
        self._key = key
        self._signer = URLSafeSerializer(key, salt="alectio session")
        self._ended: dict[str, float] = {}

    def begin(self, token: StoredToken) -> Session:
        """A fresh session.

        Args:
            token: That opens the hub.
        """
        ends_at = self._clock.now().timestamp() + LIFE_S
        return Session(secrets.token_urlsafe(16), token, ends_at)

    def write(self, session: Session) -> str:
        """A session as its cookie's value.

        Args:
            session: To sign.
        """
        said = [session.token.token_id, session.nonce, session.ends_at]
        return str(self._signer.dumps(said))

    async def find(self, cookies: str | None, allowed: frozenset[Scope]) -> Session:
        """The session of a request.

        Args:
            cookies: Its header of that name.
            allowed: Scopes of which the token must have one.

        Returns:
            The session, whose token is still good.

        Raises:
            ProblemError: `unauthorized`, `expired`, `revoked` or `forbidden`.
        """
        token_id, nonce, ends_at = self._read(cookies)
        if ends_at <= self._clock.now().timestamp() or nonce in self._ended:
            raise ProblemError("expired", "the session is over; sign in again")
        if self.is_box and token_id == BOX.token_id:
            return Session(nonce, BOX, ends_at)
        token = self._gate.check(await self._gate.recall(token_id), allowed)
        return Session(nonce, token, ends_at)

    def end(self, session: Session) -> None:
        """Let a session open nothing any more, whoever has its cookie.

        Args:
            session: Of somebody who signs out.
        """
        now = self._clock.now().timestamp()
        self._ended = {nonce: end for nonce, end in self._ended.items() if end > now}
        if len(self._ended) >= MOST_ENDED:
            self._ended.pop(next(iter(self._ended)))
        self._ended[session.nonce] = session.ends_at

    def form_key(self, session: Session) -> str:
        """What a form of this session carries, so that no other page can send one.

        Args:
            session: Whose forms.
        """
        return hmac.digest(self._key, f"form {session.nonce}".encode(), "sha256").hex()

    def is_form_key(self, session: Session, found: str) -> bool:
        """Whether a form came from a page of this session.

        Args:
            session: That sent it.
            found: What it carries.
        """
        expected = self.form_key(session)
        return hmac.compare_digest(expected.encode(), found.encode("utf-8", "replace"))

    def _read(self, cookies: str | None) -> tuple[str, str, float]:
        try:
            said: Any = self._signer.loads(self._value(cookies or ""))
            token_id, nonce, ends_at = said
            return str(token_id), str(nonce), float(ends_at)
        except (BadSignature, TypeError, ValueError) as error:
            raise ProblemError("unauthorized", "nobody is signed in here") from error

    def _value(self, cookies: str) -> str:
        if len(cookies) > LONGEST_COOKIES:
            return ""
        # By hand: the library's parser gives up at the first odd cookie of another page.
        named = (part.strip().partition("=") for part in cookies.split(";"))
        return next((value for name, _, value in named if name == self.cookie), "")
