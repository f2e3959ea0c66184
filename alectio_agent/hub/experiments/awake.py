"""The time that this hub was awake for: leases, offers and waiting are measured in it.

A process that was stopped, or whose machine stood still or was busy with its swap, wakes up to a
monotonic clock that is far ahead, before it has read one of the beats that came meanwhile.
"""

import math
from datetime import datetime
from threading import Event, Lock

from alectio_agent.core.clock import Clock

LATE_S = 5.0
"""A turn of the ticker may be so late; of a longer gap no more than that was seen by anybody."""


class AwakeClock:
    """A clock that stands still while the process does; safe to use from any thread.

    Whoever turns regularly says so: from the first turn on, time ends when the next is overdue.
    """

    def __init__(self, clock: Clock) -> None:
        """Start at the machine's monotonic time.

        Args:
            clock: The machine's.
        """
        self._clock = clock
        self._lock = Lock()
        self._turned_at = clock.monotonic()
        self._awake_at = self._given = self._turned_at
        self._next_s = math.inf

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that this process was awake for; never goes back."""
        with self._lock:
            passed_s = self._clock.monotonic() - self._turned_at
            self._given = max(self._given, self._awake_at + min(passed_s, self._next_s + LATE_S))
            return self._given

    def now(self) -> datetime:
        """The machine's wall-clock time in UTC."""
        return self._clock.now()

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait as the machine's clock does."""
        return self._clock.wait(event, seconds)

    def turn(self, next_s: float) -> float:
        """Say that the process is awake.

        Args:
            next_s: When it will say so again.

        Returns:
            Seconds since it last did that do not count; 0 unless it was much too late.
        """
        with self._lock:
            now = self._clock.monotonic()
            passed_s = now - self._turned_at
            seen_s = passed_s if passed_s <= self._next_s + LATE_S else LATE_S
            # Somebody may have read a later time than what is counted of a long gap.
            self._awake_at = self._given = max(self._given, self._awake_at + seen_s)
            self._turned_at, self._next_s = now, next_s
            return passed_s - seen_s
