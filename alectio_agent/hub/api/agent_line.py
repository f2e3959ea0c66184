"""Serves what agents call all the time before the framework is reached.

To find the route and to collect the arguments takes the framework longer than the call itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import Gate
from alectio_agent.hub.api import claim_calls
from alectio_agent.hub.api.calls import Call, check_protocol
from alectio_agent.hub.api.claim_calls import ClaimCalls
from alectio_agent.hub.api.problems import problem_response
from alectio_agent.wire.names import DIGEST_PATTERN, ID_PATTERN
from alectio_agent.wire.protocol import PROTOCOL_HEADER, STEPS

_FORMS = {
    "job_id": ID_PATTERN.strip("^$"),
    "sha256": DIGEST_PATTERN.strip("^$"),
    "step": "|".join(STEPS),
}
"""What stands in a path; one that breaks its form is left to the framework, which says so."""


@dataclass(frozen=True)
class _Route:
    """One method and all paths of a call."""

    method: str
    path: re.Pattern[str]
    call: Call

    @classmethod
    def of(cls, call: Call) -> "_Route":
        form = re.sub(r"{(\w+)}", lambda part: f"(?P<{part[1]}>{_FORMS[part[1]]})", call.path)
        return cls(call.method, re.compile(form), call)


class AgentLine:
    """Middleware: answers polls and calls about jobs, and passes on everything else."""

    def __init__(self, app: ASGIApp, claims: ClaimCalls, calls: Sequence[Call], gate: Gate) -> None:
        """Wrap an application.

        Args:
            app: Serves everything else, and what has no form that is known here.
            claims: Answers polls.
            calls: The other ones; frequent, of the protocol, for tokens only.
            gate: Lets requests in.
        """
        self._app = app
        self._claims = claims
        self._routes = [_Route.of(call) for call in calls]
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            response = await self._answer(scope, receive)
        except ProblemError as error:
            response = problem_response(error)
        await (response or self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """The answer; None when somebody else has it."""
        method, path = scope["method"], scope["path"]
        if path == claim_calls.PATH and method == "POST":
            return await self._claims.serve(scope, receive)
        for route in self._routes:
            if route.method == method and (found := route.path.fullmatch(path)):
                request = Request(scope, receive)
                headers = request.headers
                await self._gate.admit(headers.get("authorization"), route.call.allowed)
                check_protocol(headers.get(PROTOCOL_HEADER))
                return await route.call.endpoint(request, **found.groupdict())
        return None
