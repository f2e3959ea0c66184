"""`/`: all experiments."""

from collections.abc import Sequence
from functools import partial

from starlette.responses import Response

from alectio_agent.hub.dashboard.desk import Desk, in_thread
from alectio_agent.hub.dashboard.pages import render
from alectio_agent.hub.dashboard.visit import Page, Visit
from alectio_agent.hub.experiments.summaries import Summary

FILTERED = ("running", "labelling", "waiting", "paused", "finished", "cancelled")


class ExperimentsPage:
    """The list that people come to first."""

    def __init__(self, desk: Desk) -> None:
        """Bind the page to what it reads."""
        self._desk = desk

    def pages(self) -> list[Page]:
        """What there is to serve."""
        return [Page("GET", "/", self.show)]

    async def show(self, visit: Visit) -> Response:
        """Show all experiments, or those of a name or a state."""
        query = visit.request.query_params
        name, state = query.get("name", "").strip()[:64], query.get("state", "")
        state = state if state in FILTERED else ""

        async def make() -> str:
            found = await self._desk.read(self._desk.services.platform.summaries)
            shown = [entry for entry in found if _fits(entry, name.lower(), state)]
            return await in_thread(partial(_draw, visit, shown, len(found), name, state))

        return await self._desk.show(visit, ("experiments", name, state), make)


def _fits(entry: Summary, name: str, state: str) -> bool:
    return name in entry.name.lower() and state in ("", entry.shown_state)


def _draw(visit: Visit, shown: Sequence[Summary], all_count: int, name: str, state: str) -> str:
    return render(
        "experiments.html",
        visit.session,
        is_part=visit.is_fragment,
        title="Experiments",
        here="experiments",
        topic="",
        experiments=shown,
        all_count=all_count,
        wanted_name=name,
        wanted_state=state,
        states=FILTERED,
    )
