"""Pages made once for all who look at the same: by what they show, and what they were made from."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

MOST_KEPT = 64


@dataclass(frozen=True)
class _Made:
    mark: Hashable
    text: "asyncio.Future[str]"


class Shared:
    """Keeps the newest text of each key; used from the event loop only."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        """Start with none.

        Args:
            most_kept: The oldest goes when there is one more.
        """
        self._most_kept = most_kept
        self._made: dict[Hashable, _Made] = {}

    async def get(self, key: Hashable, mark: Hashable, make: Callable[[], Awaitable[str]]) -> str:
        """The text, made once however many ask for it.

        Args:
            key: What it is.
            mark: What it is made from; another one makes it anew.
            make: Makes it.

        Returns:
            The text.
        """
        known = self._made.get(key)
        if known is None or known.mark != mark or _has_failed(known.text):
            if len(self._made) >= self._most_kept:
                self._made.pop(next(iter(self._made)))
            known = _Made(mark, asyncio.ensure_future(_run(make)))
            self._made[key] = known
        # A visitor who goes away must not take it from the others.
        return await asyncio.shield(known.text)


async def _run(make: Callable[[], Awaitable[str]]) -> str:
    return await make()


def _has_failed(text: "asyncio.Future[str]") -> bool:
    return text.done() and (text.cancelled() or text.exception() is not None)
