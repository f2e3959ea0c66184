"""`/agents`: who there is, and what they do."""

from datetime import datetime, timedelta
from functools import partial

from starlette.responses import Response

from alectio_agent.core.clock import timestamp
from alectio_agent.hub.dashboard.desk import Desk, in_thread
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.wire.operation import AgentView
from alectio_agent.wire.protocol import LEASE_S


class AgentsPage:
    """All agents that ever registered."""

    def __init__(self, desk: Desk) -> None:
        """Bind the page to what it reads."""
        self._desk = desk

    def pages(self) -> list[Page]:
        """What there is to serve."""
        return [Page("GET", "/agents", self.show)]

    async def show(self, visit: Visit) -> Response:
        """Show all agents, or those of a name; those with work first."""
        name = visit.request.query_params.get("name", "").strip()[:128]

        async def make() -> str:
            found = (await self._desk.read(self._desk.services.platform.agents)).agents
            shown = [agent for agent in found if name.lower() in agent.name.lower()]
            draw = partial(_draw, visit, shown, len(found), name, self._since())
            return await in_thread(draw)

        return await self._desk.show(visit, ("agents", name), make)

    def _since(self) -> str:
        """Who called since then is there: agents poll and beat more often than this."""
        now: datetime = self._desk.services.clock.now()
        return timestamp(now - timedelta(seconds=LEASE_S))


def _draw(visit: Visit, shown: list[AgentView], all_count: int, name: str, since: str) -> str:
    there = [agent for agent in shown if agent.last_contact_at >= since]
    silent = [agent for agent in shown if agent.last_contact_at < since]
    return render(
        "agents.html",
        visit.session,
        is_part=visit.is_fragment,
        title="Agents",
        here="agents",
        topic="",
        agents=sorted(there, key=lambda agent: not agent.jobs) + silent,
        there_count=len(there),
        all_count=all_count,
        since=since,
        wanted_name=name,
    )
