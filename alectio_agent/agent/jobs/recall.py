"""Cuts a held poll when a slot that became free makes it ask for too little."""

import threading
from collections.abc import Callable, Collection


class Recall:
    """The poll loop says what it asks for; slots say from their threads what has become free.

    A poll of one free slot is held for up to 20 s. When another slot becomes free meanwhile, which
    alone may run some pipeline, a job of that pipeline would wait for the end of the hold. The same
    poll is then asked anew: it has the same number, so that no answer is lost.
    """

    def __init__(self) -> None:
        """Start without a poll; `cut` ends the one that is under way, from any thread."""
        self.cut: Callable[[], None] = _nothing
        self._lock = threading.Lock()
        self._asked: frozenset[str] | None = None

    def begin(self, asked: Collection[str]) -> None:
        """A poll is sent.

        Args:
            asked: The pipelines that it asks for.
        """
        with self._lock:
            self._asked = frozenset(asked)

    def end(self) -> None:
        """The poll is over."""
        with self._lock:
            self._asked = None

    def widen(self, free: Collection[str], *, is_last: bool) -> None:
        """A slot became free.

        Args:
            free: All pipelines that a free slot may run now.
            is_last: The poll is in the way of the agent's end: no slot works any more.
        """
        with self._lock:
            # The lock is kept while it is cut: not the poll that comes next.
            if self._asked is not None and (is_last or set(free) - self._asked):
                self.cut()


def _nothing() -> None:
    """Nothing is under way."""
