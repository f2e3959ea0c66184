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
        told_at = self._live.revision
        # One clock for the whole line: changes of others must not put off its heartbeats.
        heartbeat = self._heartbeat()
        try:
            while True:
                await self._wait(change, heartbeat)
                if self._holds.is_stopping:
                    return
                try:
                    await self._sessions.find(request.headers.get("cookie"), READER)
                except ProblemError:
                    yield "event: over\ndata: the session is over\n\n"
                    return
                is_due = heartbeat.done()
                if is_due:
                    heartbeat = self._heartbeat()
                change, mark = self._live.next_change(), self._live.mark(experiment)
                # Now and then a page looks at what it shows beside its own: a list at contacts,
                # which change nothing in the tables, a report at its control and siblings.
                is_stale = experiment is None or told_at != self._live.revision
                if mark != seen or (is_due and is_stale):
                    seen, told_at = mark, self._live.revision
                    yield f"event: changed\ndata: {self._live.revision}\n\n"
                elif is_due:
                    yield ": still here\n\n"
        finally:
            heartbeat.cancel()

    def _heartbeat(self) -> "asyncio.Future[object]":
        return _task(self._sleep(HEARTBEAT_S))

    async def _wait(self, change: asyncio.Event, heartbeat: "asyncio.Future[object]") -> None:
        waits = [_task(change.wait()), _task(self._holds.until_stopped())]
        try:
            await asyncio.wait([*waits, heartbeat], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()


def _task(waiting: Awaitable[object]) -> "asyncio.Future[object]":
    return asyncio.ensure_future(waiting)
