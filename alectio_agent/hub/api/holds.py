"""Held requests: answered when there is something to say, when time is up, or when asked to end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request

from alectio_agent.hub.api.pulse import Pulse

FoundT = TypeVar("FoundT")


class Holds:
    """All requests that wait; used from the event loop only."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Start with none.

        Args:
            sleep: Ends a hold; given so that tests need not wait.
        """
        self._sleep = sleep
        self._stopping = asyncio.Event()
        self._on_stop: list[Callable[[], None]] = []

    @property
    def is_stopping(self) -> bool:
        """Whether all holds have been told to end."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End all holds, and let no new one begin."""
        self._stopping.set()
        for callback in self._on_stop:
            callback()

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Be told when all holds are to end.

        Args:
            callback: Ends holds that are kept elsewhere.
        """
        self._on_stop.append(callback)

    async def until_stopped(self) -> None:
        """Wait until all holds are told to end."""
        await self._stopping.wait()

    async def until_over(self, seconds: float, request: Request) -> None:
        """Hold an answer that waits for nothing.

        Args:
            seconds: How long.
            request: Its client may go away, which ends the hold.
        """
        if seconds <= 0 or self.is_stopping:
            return
        over = self._ends(seconds, request)
        try:
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(over)

    async def until_found(
        self,
        look: Callable[[], Awaitable[FoundT | None]],
        pulse: Pulse,
        seconds: float,
        request: Request,
    ) -> FoundT | None:
        """Look, and look again after every beat.

        Args:
            look: Returns what it found, None for nothing yet.
            pulse: Beats when it is worth to look again.
            seconds: Longest hold.
            request: Its client may go away, which ends the hold.

        Returns:
            What was found; None when the hold ended without.
        """
        beat = pulse.next_beat()
        found = await look()
        if found is not None or seconds <= 0 or self.is_stopping:
            return found
        over = self._ends(seconds, request)
        try:
            return await _look_again(look, pulse, beat, over)
        finally:
            await _end(over)

    def _ends(self, seconds: float, request: Request) -> list["asyncio.Future[object]"]:
        """Whatever ends a hold."""
        return [
            _task(self._sleep(seconds)),
            _task(_client_gone(request)),
            _task(self._stopping.wait()),
        ]


async def _end(over: list["asyncio.Future[object]"]) -> None:
    for task in over:
        task.cancel()
    await asyncio.gather(*over, return_exceptions=True)


async def _look_again(
    look: Callable[[], Awaitable[FoundT | None]],
    pulse: Pulse,
    beat: asyncio.Event,
    over: list["asyncio.Future[object]"],
) -> FoundT | None:
    while True:
        woken = _task(beat.wait())
        try:
            await asyncio.wait([woken, *over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        if any(task.done() for task in over):
            return None
        beat = pulse.next_beat()
        found = await look()
        if found is not None:
            return found


async def _client_gone(request: Request) -> None:
    """Returns when the connection was closed; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _task(waiting: Awaitable[object]) -> "asyncio.Future[object]":
    return asyncio.ensure_future(waiting)
