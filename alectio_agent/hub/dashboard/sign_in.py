"""`/sign-in` and `/sign-out`."""

import asyncio
from collections import deque

from starlette.requests import Request
from starlette.responses import Response

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import ANYONE, LONGEST_TOKEN
from alectio_agent.hub.access.tokens import StoredToken
from alectio_agent.hub.dashboard.answers import (
    SIGN_IN,
    clear_cookie,
    local_path,
    page,
    redirect,
    set_cookie,
)
from alectio_agent.hub.dashboard.desk import Desk
from alectio_agent.hub.dashboard.entrance import Entrance, check_origin
from alectio_agent.hub.dashboard.forms import read_form
from alectio_agent.hub.dashboard.live import Sleep
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit

FAILURE_S = 1.0
MOST_FAILURES, FAILURES_IN_S = 10, 60.0
MOST_PEERS = 10_000
WRONG = "This token does not open the hub."
AGENT = (
    "This is an agent's token: agents work with it, people do not. Use one of scope operator or "
    "viewer: alectio-agent hub token create NAME --scope viewer --data FOLDER"
)
TOO_MANY = "Too many tokens that do not open the hub. Wait a minute, then try again."


class Failures:
    """Counts failed attempts of each address."""

    def __init__(self, clock: Clock) -> None:
        """Start with none.

        Args:
            clock: Forgets them.
        """
        self._clock = clock
        self._at: dict[str, deque[float]] = {}

    def are_too_many(self, peer: str) -> bool:
        """Whether an address has to wait.

        Args:
            peer: The address.
        """
        oldest = self._clock.monotonic() - FAILURES_IN_S
        found = self._at.get(peer, deque())
        while found and found[0] <= oldest:
            found.popleft()
        return len(found) >= MOST_FAILURES

    def note(self, peer: str) -> None:
        """Count one more.

        Args:
            peer: The address.
        """
        if len(self._at) >= MOST_PEERS:
            self._at.clear()
        self._at.setdefault(peer, deque()).append(self._clock.monotonic())


class SignIn:
    """From a token to a session, and back."""

    def __init__(self, desk: Desk, entrance: Entrance, sleep: Sleep = asyncio.sleep) -> None:
        """Bind to the sessions.

        Args:
            desk: What all pages work with.
            entrance: Knows who is signed in already.
            sleep: Makes a failure slow; given so that tests need not wait.
        """
        self._services = desk.services
        self._sessions = desk.sessions
        self._entrance = entrance
        self._sleep = sleep
        self._failures = Failures(desk.services.clock)

    def pages(self) -> list[Page]:
        """What there is to serve to those who are signed in."""
        return [Page("POST", "/sign-out", self.sign_out)]

    async def ask(self, request: Request) -> Response:
        """Ask for a token; whoever has a session goes on."""
        wanted = local_path(request.query_params.get("next", "/"))
        if self._sessions.is_box:
            session, _ = await self._entrance.enter_box(request)
            return set_cookie(redirect(wanted), request, self._sessions, session)
        if await self._entrance.visitor(request) is not None:
            return redirect(wanted)
        return _form(wanted)

    async def sign_in(self, request: Request) -> Response:
        """Take a token, and begin a session with it."""
        check_origin(request)
        said = await read_form(request)
        wanted = local_path(said.get("next", "/"))
        peer = request.client.host if request.client else ""
        if self._failures.are_too_many(peer):
            return _form(wanted, TOO_MANY, 429)
        token = await self._token(said.get("token", "").strip())
        if token is not None and token.scope != "agent":
            session = self._sessions.begin(token)
            return set_cookie(redirect(wanted), request, self._sessions, session)
        self._failures.note(peer)
        await self._sleep(FAILURE_S)
        return _form(wanted, WRONG if token is None else AGENT, 401 if token is None else 403)

    async def sign_out(self, visit: Visit) -> Response:
        """End the session, also for whoever may have copied its cookie."""
        self._sessions.end(visit.session)
        return clear_cookie(redirect(SIGN_IN), visit.request, self._sessions)

    async def _token(self, text: str) -> StoredToken | None:
        """The token, if it is good; what is wrong with it is nobody's business."""
        if not 0 < len(text) <= LONGEST_TOKEN:
            return None
        gate = self._services.gate
        try:
            return gate.check(await gate.identify(text), ANYONE)
        except ProblemError:
            return None


def _form(wanted: str, error: str = "", status: int = 200) -> Response:
    html = render(
        "sign_in.html", None, title="Sign in", here="", topic=None, wanted=wanted, error=error
    )
    return page(html, status)
