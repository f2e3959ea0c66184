"""`/tokens`: who may come in; for operators only."""

from functools import partial

from pydantic import ValidationError
from starlette.responses import Response

from alectio_agent.core.clock import timestamp
from alectio_agent.core.errors import ProblemError
from alectio_agent.core.units import parse_duration
from alectio_agent.hub.access.gate import OPERATOR
from alectio_agent.hub.access.tokens import create_token, list_tokens, revoke_token
from alectio_agent.hub.dashboard.answers import redirect
from alectio_agent.hub.dashboard.desk import Desk
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.wire.operation import TokenCreate, TokenCreated

SCOPES = {
    "agent": "asks for work and delivers it",
    "viewer": "looks at everything but tokens",
    "operator": "looks, steers, makes tokens",
}


class TokensPage:
    """Tokens: listed, made, revoked."""

    def __init__(self, desk: Desk) -> None:
        """Bind the page to what it reads and changes."""
        self._desk = desk

    def pages(self) -> list[Page]:
        """What there is to serve."""
        return [
            Page("GET", "/tokens", self.show, OPERATOR),
            Page("POST", "/tokens", self.make, OPERATOR),
            Page("GET", "/tokens/{name}/revoke", self.ask_to_revoke, OPERATOR),
            Page("POST", "/tokens/{name}/revoke", self.revoke, OPERATOR),
        ]

    async def show(self, visit: Visit) -> Response:
        """List all tokens that were ever made, the newest first."""
        return await self._page(visit)

    async def make(self, visit: Visit) -> Response:
        """Make a token; this page is the only one that ever shows it."""
        try:
            wanted = _wish(visit)
            clock = self._desk.services.clock
            made = await self._desk.write(lambda tx: create_token(tx, clock, wanted))
        except ProblemError as error:
            if error.problem not in ("invalid", "conflict"):
                raise
            return await self._page(visit, error=error.message, status=422)
        return await self._page(visit, made=made)

    async def ask_to_revoke(self, visit: Visit) -> Response:
        """Ask once more."""
        found = await self._desk.read(list_tokens)
        if visit.name not in {token.name for token in found.tokens}:
            raise ProblemError("not-found", f"no token is called `{visit.name}`")
        html = render(
            "revoke.html", visit.session, title=f"Revoke {visit.name}?", here="tokens", topic=None,
            name=visit.name, is_own=visit.name == visit.session.token.name,
        )  # fmt: skip
        return self._desk.page(visit, html)

    async def revoke(self, visit: Visit) -> Response:
        """Let a token, and all sessions that it opened, open nothing any more."""
        services = self._desk.services
        await self._desk.write(lambda tx: revoke_token(tx, services.clock, visit.name))
        services.gate.forget(visit.name)
        return redirect("/tokens")

    async def _page(
        self,
        visit: Visit,
        *,
        made: TokenCreated | None = None,
        error: str = "",
        status: int = 200,
    ) -> Response:
        found = await self._desk.read(list_tokens)
        draw = partial(
            render, "tokens.html", visit.session, is_part=visit.is_fragment, title="Tokens",
            here="tokens",
        )  # fmt: skip
        html = draw(
            # Never drawn anew: the token that was just made would be gone.
            topic=None if made else "",
            tokens=list(reversed(found.tokens)),
            now=timestamp(self._desk.services.clock.now()),
            scopes=SCOPES,
            made=made,
            error=error,
            said=visit.form,
        )
        return self._desk.page(visit, html, status)


def _wish(visit: Visit) -> TokenCreate:
    """What the form asks for."""
    said = visit.form
    life = said.get("expires", "").strip()
    try:
        expires_s = parse_duration(life) if life else None
    except ValueError as error:
        raise ProblemError("invalid", f"expires: found {life!r}; {error}") from error
    try:
        return TokenCreate.model_validate(
            {"name": said.get("name", ""), "scope": said.get("scope", ""), "expires_s": expires_s}
        )
    except ValidationError as error:
        keys = ", ".join(str(breach["loc"][0]) for breach in error.errors())
        raise ProblemError(
            "invalid",
            f"{keys}: not usable. A name has up to 64 letters, digits, dots, dashes and "
            "underlines, a letter or digit first; a life is more than 0",
        ) from error
