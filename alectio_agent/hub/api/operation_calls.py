"""What operators and viewers call: experiments, jobs, agents."""

import asyncio
from asyncio import wrap_future
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from functools import partial
from importlib.metadata import version as installed_version
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from alectio_agent.hub.access.gate import ANYONE, OPERATOR, READER
from alectio_agent.hub.api.bodies import read_record
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.experiments.results_document import as_json
from alectio_agent.hub.experiments.versions import version_of
from alectio_agent.wire.names import EXPERIMENT_PATTERN, Id
from alectio_agent.wire.operation import (
    AgentList,
    AgentRemove,
    AgentView,
    ExperimentCreate,
    ExperimentHistory,
    ExperimentList,
    ExperimentView,
    JobList,
    PlatformInfo,
)
from alectio_agent.wire.protocol import JSON_MEDIA_TYPE

LONGEST_HOLD_S = 60.0

Name = Annotated[str, Path(pattern=EXPERIMENT_PATTERN)]
After = Annotated[int | None, Query(description="Hold until the version is above this.")]
WaitS = Annotated[float, Query(ge=0, le=LONGEST_HOLD_S, description="Longest hold, in seconds.")]


class OperationCalls:
    """Endpoints for people and their tools."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services
        self._version = installed_version("alectio-agent")

    def calls(self) -> list[Call]:
        """What there is to serve."""
        experiments = "/v1/experiments"
        return [
            Call("GET", "/v1/platform", self.show_platform, ANYONE, None, PlatformInfo),
            Call(
                "POST", experiments, self.create_experiment, OPERATOR, ExperimentCreate,
                ExperimentView, ("conflict",),
            ),
            Call("GET", experiments, self.list_experiments, READER, None, ExperimentList),
            Call(
                "GET", experiments + "/{name}", self.show_experiment, READER, None,
                ExperimentView, ("not-found",),
            ),
            Call(
                "GET", experiments + "/{name}/history", self.show_history, READER, None,
                ExperimentHistory, ("not-found",),
            ),
            Call("GET", "/v1/jobs", self.list_jobs, READER, None, JobList),
            Call("GET", "/v1/agents", self.list_agents, READER, None, AgentList),
            Call(
                "POST", "/v1/agents/{agent_id}/remove", self.remove_agent, OPERATOR, AgentRemove,
                AgentView, ("not-found", "conflict"), may_be_bodiless=True,
            ),
        ]  # fmt: skip

    async def show_platform(self, request: Request) -> Response:
        """Say who answers, and what the caller's token may do."""
        services = self._services
        token = await services.gate.admit(request.headers.get("authorization"), ANYONE)
        platform_id = await wrap_future(services.store.read(services.platform.platform_id))
        said = answer(
            PlatformInfo(
                platform_id=platform_id,
                version=self._version,
                scope=token.scope,
                token_name=token.name,
                token_expires_at=token.expires_at,
            )
        )
        # Nothing else that the hub says has a date: this is where clocks are compared.
        said.headers["Date"] = format_datetime(services.clock.now(), usegmt=True)
        return said

    async def create_experiment(self, request: Request) -> Response:
        """Create an experiment; the same settings again change nothing."""
        services = self._services
        record = await read_record(request, ExperimentCreate, services.limits.request_bytes)
        return answer(
            await wrap_future(
                services.dealer.write(
                    lambda tx: services.platform.create(tx, record.settings, record.series)
                )
            )
        )

    async def list_experiments(self) -> Response:
        """List all experiments, without their loops."""
        services = self._services
        return answer(await wrap_future(services.store.read(services.platform.list)))

    async def show_experiment(
        self, request: Request, name: Name, after: After = None, wait_s: WaitS = 0.0
    ) -> Response:
        """Show an experiment with its loops; with `after`, once its version is above that."""
        held_s = 0.0 if after is None else wait_s
        newest = await self._services.holds.until_found(
            self._look(request, name, -1 if after is None else after),
            self._services.commits,
            held_s,
            request,
        )
        if newest is None:
            await self._services.gate.admit(request.headers.get("authorization"), READER)
        return answer(newest or await self._show(name))

    async def show_history(self, name: Name) -> Response:
        """Tell everything that is kept of an experiment, as in its `experiment.json`."""
        services = self._services
        document = await wrap_future(
            services.store.read(lambda tx: services.platform.history(tx, name))
        )
        # Scores of every sample that was chosen: making the text must not hold up beats and polls.
        text = await asyncio.to_thread(as_json, document)
        return Response(text, media_type=JSON_MEDIA_TYPE)

    async def list_jobs(self) -> Response:
        """List all jobs that are not done, oldest first."""
        services = self._services
        return answer(await wrap_future(services.store.read(services.platform.jobs)))

    async def list_agents(self) -> Response:
        """List all agents that ever registered and were not removed."""
        services = self._services
        return answer(await wrap_future(services.store.read(services.platform.agents)))

    async def remove_agent(self, request: Request, agent_id: Id) -> Response:
        """Forget an agent that is gone; when it calls again it registers as a new one."""
        services, limit = self._services, self._services.limits.request_bytes
        said = await read_record(request, AgentRemove, limit, may_be_empty=True)
        remove = partial(services.platform.remove_agent, agent_id=agent_id, is_forced=said.force)
        return answer(await wrap_future(services.dealer.write(remove)))

    def _look(
        self, request: Request, name: str, after: int
    ) -> Callable[[], Awaitable[ExperimentView | None]]:
        services = self._services

        async def look() -> ExperimentView | None:
            # Most commits are about something else: the loops are read only when it is news.
            version = await wrap_future(services.store.read(partial(version_of, name=name)))
            if version is not None and version <= after:
                return None
            # The token may have been revoked while the call was held.
            await services.gate.admit(request.headers.get("authorization"), READER)
            view = await self._show(name)
            return view if view.version > after else None

        return look

    async def _show(self, name: str) -> ExperimentView:
        services = self._services
        return await wrap_future(services.store.read(lambda tx: services.platform.show(tx, name)))
