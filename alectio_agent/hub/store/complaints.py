"""Says a trouble of the disk once in a while: every call meets it, for as long as it lasts."""

import logging
from threading import Lock

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreError

SILENT_S = 600.0
"""The same trouble is said again after so long."""
MOST_KNOWN = 100


class Complaints:
    """What one part of the hub has complained of; safe to use from any thread."""

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        """Start with nothing to complain of.

        Args:
            log: Where it is said.
            clock: For how long ago it was said.
        """
        self._log = log
        self._clock = clock
        self._lock = Lock()
        self._said_at: dict[str, float] = {}

    def note(self, doing: str, error: StoreError) -> None:
        """Something could not be done.

        Args:
            doing: What, for people.
            error: Why.
        """
        now, trouble = self._clock.monotonic(), _reason(error)
        with self._lock:
            said_at = self._said_at.get(trouble)
            if said_at is not None and now - said_at < SILENT_S:
                return
            self._said_at[trouble] = now
            if len(self._said_at) > MOST_KNOWN:
                del self._said_at[next(iter(self._said_at))]
        self._log.error(
            "%s  %s: %s. It is tried again, and only said every 10 minutes",
            error.code, doing, error.message,
        )  # fmt: skip

    def over(self) -> None:
        """What was complained of went well: the next trouble is news."""
        with self._lock:
            was_in_trouble, self._said_at = bool(self._said_at), {}
        if was_in_trouble:
            self._log.warning("the disk takes what it refused before")


def _reason(error: StoreError) -> str:
    """Without the path in front, which is another one for each part."""
    return error.message.rpartition(": ")[2]
