"""What an agent calls about itself and for work: register, leave, claim."""

from asyncio import wrap_future
from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.responses import Response

from alectio_agent.hub.access.gate import AGENT
from alectio_agent.hub.api.bodies import read_record
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.wire.agents import Registered, Registration
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.names import Id
from alectio_agent.wire.results import Accepted

SHORTEST_HOLD = 0.75
"""Holds last 75 to 100 % of what was asked, so that agents that start together drift apart."""
STOP_RETRY_AFTER_S = 15


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
            Call(
                "POST",
                "/v1/claims",
                self.claim,
                AGENT,
                ClaimRequest,
                Claim,
                ("unknown-agent", "superseded-boot", "stale-seq"),
                may_be_empty="No job; Retry-After says when to ask again, if not at once.",
            ),
        ]

    async def register(self, request: Request) -> Response:
        """Register an agent: who it is, what it can run, what it holds."""
        limit = self._services.limits.request_bytes
        record = await read_record(request, Registration, limit)
        platform = self._services.platform
        written = self._services.store.write(lambda tx: platform.register(tx, record))
        registered: Registered = await wrap_future(written)
        return answer(registered)

    async def leave(self, agent_id: Id) -> Response:
        """Leave cleanly: jobs that were claimed and never started return at once."""
        platform = self._services.platform
        written = self._services.store.write(lambda tx: platform.leave(tx, agent_id))
        await wrap_future(written)
        return answer(Accepted())

    async def claim(self, request: Request) -> Response:
        """Ask for a job; held until one is there, or for about `wait_s`."""
        services = self._services
        wanted = await read_record(request, ClaimRequest, services.limits.request_bytes)
        hold_s = self._hold_s(wanted.wait_s)
        with services.holds.replacing(wanted.agent_id, wanted.boot, wanted.seq) as replaced:
            claim = await services.holds.until_found(
                self._look(request, wanted), services.jobs, hold_s, request, replaced
            )
        if claim is not None:
            return answer(claim)
        return self._nothing()

    def _hold_s(self, asked_s: float) -> float:
        return asked_s * self._services.rng.uniform(SHORTEST_HOLD, 1.0)

    def _look(
        self, request: Request, wanted: ClaimRequest
    ) -> Callable[[], Awaitable[Claim | None]]:
        services = self._services

        async def look() -> Claim | None:
            # Before each look: the token may have been revoked while the poll was held.
            await services.gate.admit(request.headers.get("authorization"), AGENT)
            return await wrap_future(
                services.store.write(lambda tx: services.platform.claim(tx, wanted))
            )

        return look

    def _nothing(self) -> Response:
        """No job. A hub that stops spreads its agents' return over some seconds."""
        if not self._services.holds.is_stopping:
            return Response(status_code=204)
        wait_s = self._services.rng.randint(0, STOP_RETRY_AFTER_S)
        return Response(status_code=204, headers={"Retry-After": str(wait_s)})
