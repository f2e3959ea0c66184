"""What `check` calls: a body that nobody keeps, an answer that is held as a poll would be."""

import hashlib
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from alectio_agent.hub.access.gate import AGENT
from alectio_agent.hub.api.bodies import read_chunks
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.wire.probes import Probed
from alectio_agent.wire.protocol import MAX_POLL_WAIT_S

HoldS = Annotated[
    float, Query(ge=0, le=MAX_POLL_WAIT_S, description="How long to hold the answer, in seconds.")
]


class ProbeCalls:
    """The endpoint that tries the line, without a job and without an agent."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoint to what it calls."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        return [Call("PUT", "/v1/probe", self.probe, AGENT, None, Probed, takes_bytes=True)]

    async def probe(self, request: Request, wait_s: HoldS = 0.0) -> Response:
        """Try the line: a body is counted and dropped, and the answer may be held like a poll's."""
        services = self._services
        digest, size_bytes = hashlib.sha256(), 0
        async for chunk in read_chunks(request, services.limits.slice_bytes):
            digest.update(chunk)
            size_bytes += len(chunk)
        began_s = services.clock.monotonic()
        await services.holds.until_over(wait_s, request)
        held_s = round(services.clock.monotonic() - began_s, 3)
        return answer(Probed(bytes=size_bytes, sha256=digest.hexdigest(), held_s=held_s))
