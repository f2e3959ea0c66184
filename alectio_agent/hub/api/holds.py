"""Held requests: answered when there is something to say, when time is up, or when asked to end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from alectio_agent.hub.api.pulse import Pulse

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class _Held:
    boot: str
    seq: int
    replaced: asyncio.Event


class Holds:
    """All requests that wait; used from the event loop only."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Start with none.

        Args:
            sleep: Ends a hold; given so that tests need not wait.
        """
        self._sleep = sleep
        self._stopping = asyncio.Event()
        self._held: dict[str, _Held] = {}

    @property
    def are_replaceable(self) -> bool:
        """Whether anybody holds under a name, as agents do that wait for a job."""
        return bool(self._held)

    @property
    def is_stopping(self) -> bool:
        """Whether all holds have been told to end."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End all holds, and let no new one begin."""
        self._stopping.set()

    async def until_stopped(self) -> None:
        """Wait until all holds are told to end."""
        await self._stopping.wait()

    async def until_found(
        self,
        look: Callable[[], Awaitable[FoundT | None]],
        pulse: Pulse,
        seconds: float,
        request: Request,
        replaced: asyncio.Event | None = None,
    ) -> FoundT | None:
        """Look, and look again after every beat.

        Args:
            look: Returns what it found, None for nothing yet.
            pulse: Beats when it is worth to look again.
            seconds: Longest hold.
            request: Its client may go away, which ends the hold.
            replaced: Ends the hold when set.

        Returns:
            What was found; None when the hold ended without.
        """
        beat = pulse.next_beat()
        found = await look()
        if found is not None or seconds <= 0 or self.is_stopping:
            return found
        over = [
            _task(self._sleep(seconds)),
            _task(_client_gone(request)),
            _task(self._stopping.wait()),
        ]
        if replaced is not None:
            over.append(_task(replaced.wait()))
        try:
            return await _look_again(look, pulse, beat, over)
        finally:
            for task in over:
                task.cancel()
            await asyncio.gather(*over, return_exceptions=True)

    @contextmanager
    def replacing(self, holder: str, boot: str, seq: int) -> Iterator[asyncio.Event]:
        """Be the one hold of a holder: the one before it ends.

        Args:
            holder: Such as an agent.
            boot: Life of the holder; numbers of polls are compared within one.
            seq: Number of the poll; a hold with a higher one stays, and this one ends.

        Yields:
            Set when another hold of the same holder has taken over.
        """
        mine = _Held(boot, seq, asyncio.Event())
        before = self._held.get(holder)
        if before is not None and before.boot == boot and before.seq > seq:
            mine.replaced.set()
            yield mine.replaced
            return
        if before is not None:
            before.replaced.set()
        self._held[holder] = mine
        try:
            yield mine.replaced
        finally:
            if self._held.get(holder) is mine:
                del self._held[holder]


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
