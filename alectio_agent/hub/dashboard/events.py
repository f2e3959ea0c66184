"""Server-sent events: an open page is told that something changed, and asks for what it shows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import READER
from alectio_agent.hub.access.sessions import Sessions
from alectio_agent.hub.api.holds import Holds
from alectio_agent.hub.dashboard.answers import PAGE_HEADERS, page
from alectio_agent.hub.dashboard.live import Live, Sleep
from alectio_agent.hub.dashboard.visit import Page, Visit

HEARTBEAT_S = 15.0
MOST_OPEN = 500
RETRY_MS = 3000


class Events:
    """`/events`: held until the page closes, the session ends or the hub stops."""

    def __init__(
        self, live: Live, sessions: Sessions, holds: Holds, sleep: Sleep = asyncio.sleep
    ) -> None:
        """Bind to what changes.

        Args:
            live: Knows what changed.
            sessions: Says whether a visitor may still look.
            holds: Ends with the hub.
            sleep: Until the next heartbeat; given so that tests need not wait.
        """
        self._live = live
        self._sessions = sessions
        self._holds = holds
        self._sleep = sleep
        self._open = 0

    def pages(self) -> list[Page]:
        """What there is to serve."""
        return [Page("GET", "/events", self.follow)]

    async def follow(self, visit: Visit) -> Response:
        """Hold a page's line; `?experiment=NAME` tells of that one only."""
        if self._open >= MOST_OPEN or self._holds.is_stopping:
            return page("too many pages are open", 503)
        experiment = visit.request.query_params.get("experiment")
        return StreamingResponse(
            self._tell(visit.request, experiment),
            media_type="text/event-stream",
            headers={**PAGE_HEADERS, "X-Accel-Buffering": "no"},
        )

    async def _tell(self, request: Request, experiment: str | None) -> AsyncIterator[str]:
        self._open += 1
        try:
            with self._live.watching():
                yield f"retry: {RETRY_MS}\n\n"
                async for told in self._changes(request, experiment):
                    yield told
        finally:
            self._open -= 1

    async def _changes(self, request: Request, experiment: str | None) -> AsyncIterator[str]:
        change, seen = self._live.next_change(), self._live.mark(experiment)
        while True:
            is_change = await self._wait(change)
            if self._holds.is_stopping:
                return
            try:
                await self._sessions.find(request.headers.get("cookie"), READER)
            except ProblemError:
                yield "event: over\ndata: the session is over\n\n"
                return
            change, mark = self._live.next_change(), self._live.mark(experiment)
            # A list shows contacts, which change nothing in the tables: now and then it looks.
            if mark != seen or (not is_change and experiment is None):
                seen = mark
                yield f"event: changed\ndata: {self._live.revision}\n\n"
            elif not is_change:
                yield ": still here\n\n"

    async def _wait(self, change: asyncio.Event) -> bool:
        waits = [
            _task(change.wait()),
            _task(self._holds.until_stopped()),
            _task(self._sleep(HEARTBEAT_S)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        return change.is_set()


def _task(waiting: Awaitable[object]) -> "asyncio.Future[object]":
    return asyncio.ensure_future(waiting)
