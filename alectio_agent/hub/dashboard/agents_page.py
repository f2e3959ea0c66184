"""`/agents`: who there is, and what they do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from starlette.responses import Response

from alectio_agent.core.clock import timestamp
from alectio_agent.hub.dashboard.desk import Desk, in_thread
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.wire.operation import AgentView
from alectio_agent.wire.protocol import LEASE_S

ON_A_PAGE = 250


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
        number = visit.request.query_params.get("page", "1")[:6]
        at = max(1, int(number)) if number.isascii() and number.isdigit() else 1

        async def make() -> str:
            found = (await self._desk.read(self._desk.services.platform.agents)).agents
            shown = [agent for agent in found if name.lower() in agent.name.lower()]
            sheet = _Sheet(shown, len(found), name, self._since(), at)
            draw = partial(_draw, visit, sheet)
            return await in_thread(draw)

        return await self._desk.show(visit, ("agents", name, at), make)

    def _since(self) -> str:
        """Who called since then is there: agents poll and beat more often than this."""
        now: datetime = self._desk.services.clock.now()
        return timestamp(now - timedelta(seconds=LEASE_S))


@dataclass(frozen=True)
class _Sheet:
    """What one page of the list is cut from."""

    fitting: list[AgentView]
    all_count: int
    name: str
    since: str
    number: int


def _draw(visit: Visit, sheet: _Sheet) -> str:
    there = [agent for agent in sheet.fitting if agent.last_contact_at >= sheet.since]
    silent = [agent for agent in sheet.fitting if agent.last_contact_at < sheet.since]
    ordered = sorted(there, key=lambda agent: not agent.jobs) + silent
    first = (sheet.number - 1) * ON_A_PAGE
    return render(
        "agents.html",
        visit.session,
        is_part=visit.is_fragment,
        title="Agents",
        here="agents",
        topic="",
        agents=ordered[first : first + ON_A_PAGE],
        first=first,
        number=sheet.number,
        has_more=first + ON_A_PAGE < len(ordered),
        fitting_count=len(ordered),
        there_count=len(there),
        all_count=sheet.all_count,
        since=sheet.since,
        wanted_name=sheet.name,
    )
