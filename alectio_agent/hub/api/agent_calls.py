"""What an agent calls about itself: register, leave."""

from asyncio import wrap_future

from fastapi import Request
from starlette.responses import Response

from alectio_agent.hub.access.gate import AGENT
from alectio_agent.hub.api.bodies import read_record
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.wire.agents import Registered, Registration
from alectio_agent.wire.names import Id
from alectio_agent.wire.results import ACCEPTED, Accepted


class AgentCalls:
    """Endpoints for an agent's own affairs."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        boots = ("superseded-boot",)
        return [
            Call("POST", "/v1/agents", self.register, AGENT, Registration, Registered, boots),
            Call("DELETE", "/v1/agents/{agent_id}", self.leave, AGENT, None, Accepted),
        ]

    async def register(self, request: Request) -> Response:
        """Register an agent: who it is, what it can run, what it holds."""
        limit = self._services.limits.request_bytes
        record = await read_record(request, Registration, limit)
        platform = self._services.platform
        written = self._services.store.write(lambda tx: platform.register(tx, record))
        registered: Registered = await wrap_future(written)
        expires_at = request.state.token.expires_at
        return answer(registered.model_copy(update={"token_expires_at": expires_at}))

    async def leave(self, agent_id: Id) -> Response:
        """Leave cleanly: jobs that were claimed and never started return at once."""
        platform = self._services.platform
        written = self._services.store.write(lambda tx: platform.leave(tx, agent_id))
        await wrap_future(written)
        return answer(ACCEPTED)
