"""What all pages work with, and how they read and draw."""

import asyncio
from asyncio import wrap_future
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection
from starlette.responses import Response

from alectio_agent.hub.access.sessions import Sessions
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.dashboard.answers import page
from alectio_agent.hub.dashboard.live import Live
from alectio_agent.hub.dashboard.pages import FORM_KEY_PLACE
from alectio_agent.hub.dashboard.shared import Shared
from alectio_agent.hub.dashboard.visit import Visit

ResultT = TypeVar("ResultT")
KEPT_S = 10.0
"""Time itself changes what is shown: an agent falls silent without a word in the tables."""
MOST_REPORTS = 16
"""A report of many loops takes a few megabytes."""


@dataclass(frozen=True)
class Desk:
    """Everything a page may call.

    Attributes:
        live: Knows whether anything changed.
        shared: Pages that several visitors look at.
        reports: Bodies of reports, by what they tell of.
        sessions: For the keys of forms.
    """

    services: Services
    live: Live
    sessions: Sessions
    shared: Shared = field(default_factory=Shared)
    reports: Shared = field(default_factory=lambda: Shared(MOST_REPORTS))

    async def read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Look at what is committed.

        Args:
            work: Reads rows.
        """
        return await wrap_future(self.services.store.read(work))

    async def write(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Change something.

        Args:
            work: Changes rows.
        """
        return await wrap_future(self.services.dealer.write(work))

    async def show(
        self, visit: Visit, key: Hashable, make: Callable[[], Awaitable[str]]
    ) -> Response:
        """Draw a page; what open pages ask for is drawn once for all of them.

        Args:
            visit: Who looks.
            key: What the page shows, beside the visitor's scope.
            make: Draws it for a visitor of that scope.
        """
        if visit.is_fragment and self.live.is_watched:
            shared = (key, visit.session.token.scope)
            turn = int(self.services.clock.monotonic() / KEPT_S)
            html = await self.shared.get(shared, (self.live.revision, turn), make)
        else:
            html = await make()
        return self.page(visit, html)

    def page(self, visit: Visit, html: str, status: int = 200) -> Response:
        """Answer with what was drawn, its forms keyed for this visitor.

        Args:
            visit: Who looks.
            html: With `FORM_KEY_PLACE`.
            status: Of the answer.
        """
        return page(html.replace(FORM_KEY_PLACE, self.sessions.form_key(visit.session)), status)


async def in_thread(work: Callable[[], ResultT]) -> ResultT:
    """Do what takes a while off the event loop, so that beats and polls do not wait for it.

    Args:
        work: Touches nothing that the loop uses.
    """
    return await asyncio.to_thread(work)
