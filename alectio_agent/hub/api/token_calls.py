"""What operators call about tokens."""

from asyncio import wrap_future
from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from alectio_agent.hub.access.gate import OPERATOR
from alectio_agent.hub.access.tokens import create_token, list_tokens, revoke_token
from alectio_agent.hub.api.bodies import read_record
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.wire.names import EXPERIMENT_PATTERN
from alectio_agent.wire.operation import TokenCreate, TokenCreated, TokenList, TokenView

TokenName = Annotated[str, Path(pattern=EXPERIMENT_PATTERN)]


class TokenCalls:
    """Endpoints for those who give access, and take it."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        tokens = "/v1/tokens"
        return [
            Call(
                "POST", tokens, self.make_token, OPERATOR, TokenCreate, TokenCreated,
                ("conflict",),
            ),
            Call("GET", tokens, self.list_tokens, OPERATOR, None, TokenList),
            Call(
                "POST", tokens + "/{name}/revoke", self.revoke_token, OPERATOR, None, TokenView,
                ("not-found", "conflict"),
            ),
        ]  # fmt: skip

    async def make_token(self, request: Request) -> Response:
        """Make a token; this answer is the only one that ever holds it."""
        services = self._services
        record = await read_record(request, TokenCreate, services.limits.request_bytes)
        return answer(
            await wrap_future(
                services.store.write(lambda tx: create_token(tx, services.clock, record))
            )
        )

    async def list_tokens(self) -> Response:
        """List all tokens that were ever made, never the tokens themselves."""
        return answer(await wrap_future(self._services.store.read(list_tokens)))

    async def revoke_token(self, name: TokenName) -> Response:
        """Revoke the good token of that name; it opens nothing from this answer on."""
        services = self._services
        revoked = await wrap_future(
            services.store.write(lambda tx: revoke_token(tx, services.clock, name))
        )
        services.gate.forget(name)
        return answer(revoked)
