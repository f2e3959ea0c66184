"""The application: all calls, their document, their problems, behind the guard."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware import Middleware

from alectio_agent.hub.api.agent_calls import AgentCalls
from alectio_agent.hub.api.agent_line import AgentLine
from alectio_agent.hub.api.calls import Call, mount
from alectio_agent.hub.api.claim_calls import ClaimCalls
from alectio_agent.hub.api.document import complete
from alectio_agent.hub.api.guard import Guard
from alectio_agent.hub.api.job_calls import JobCalls
from alectio_agent.hub.api.label_calls import LabelCalls
from alectio_agent.hub.api.log_calls import LogCalls
from alectio_agent.hub.api.name_calls import NameCalls
from alectio_agent.hub.api.operation_calls import OperationCalls
from alectio_agent.hub.api.probe_calls import ProbeCalls
from alectio_agent.hub.api.problems import install_problems
from alectio_agent.hub.api.results_calls import ResultsCalls
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.api.steering_calls import SteeringCalls
from alectio_agent.hub.api.token_calls import TokenCalls

TITLE = "Alectio hub"
DESCRIPTION = (
    "Protocol 1 between agents and a platform, and the operator's side of a hub. Bodies may be "
    "gzip. Refusals are problem documents (RFC 9457) whose `type` is one of the listed names; "
    "anything else that is no success is no verdict, and is tried again."
)


def create_app(services: Services) -> FastAPI:
    """Build the application.

    Args:
        services: What the endpoints call.

    Returns:
        An ASGI application.
    """
    claims = ClaimCalls(services)
    calls = _all_calls(services, claims)
    app = FastAPI(
        title=TITLE,
        description=DESCRIPTION,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Guard, clock=services.clock),
            Middleware(
                AgentLine,
                claims=claims,
                calls=[call for call in calls if call.is_frequent],
                gate=services.gate,
            ),
        ],
    )
    install_problems(app)
    for call in calls:
        mount(app, call, services.gate, services.sessions)

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            plain = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            app.openapi_schema = complete(plain, calls)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # the framework's documented way
    return app


def _all_calls(services: Services, claims: ClaimCalls) -> list[Call]:
    """Everything that the hub serves; the polls are those that the agents' line answers too."""
    return [
        *AgentCalls(services).calls(),
        *claims.calls(),
        *JobCalls(services).calls(),
        *LogCalls(services).calls(),
        *NameCalls(services).calls(),
        *ProbeCalls(services).calls(),
        *OperationCalls(services).calls(),
        *ResultsCalls(services).calls(),
        *SteeringCalls(services).calls(),
        *LabelCalls(services).calls(),
        *TokenCalls(services).calls(),
    ]
