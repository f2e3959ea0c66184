"""Wakes held requests when something was committed, without anybody polling the database."""

import asyncio
from threading import Lock


class Pulse:
    """One beat per commit; whoever waits is woken once."""

    def __init__(self) -> None:
        """Beats fall flat until a loop listens."""
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_due = False
        self._is_awaited = False
        self._next = asyncio.Event()

    def listen(self) -> None:
        """Bind to the running event loop; called from it."""
        self._loop = asyncio.get_running_loop()

    def deafen(self) -> None:
        """Ignore further beats: the loop is about to end."""
        with self._lock:
            self._loop = None

    def next_beat(self) -> asyncio.Event:
        """What the next beat will set.

        Take it before looking for work: a beat between the look and the wait is then not lost.
        """
        self._is_awaited = True
        return self._next

    def beat(self) -> None:
        """Wake all that wait; from any thread. Beats that come faster than the loop turns merge."""
        with self._lock:
            if self._loop is None or self._is_due or not self._is_awaited:
                return  # whoever comes now looks after this commit
            self._is_due = True
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            self._is_due = self._is_awaited = False
        beaten, self._next = self._next, asyncio.Event()
        beaten.set()
