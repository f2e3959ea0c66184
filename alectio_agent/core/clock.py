"""The only place that reads the time or waits, so that tests can stand in for both."""

import time
from datetime import UTC, datetime
from threading import TIMEOUT_MAX, Event
from typing import Protocol


class Clock(Protocol):
    """Time as the rooms see it."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back. For durations."""

    def now(self) -> datetime:
        """Wall-clock time in UTC. For timestamps people read, never for durations."""

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait until the event is set or the seconds are over.

        Args:
            event: Ends the wait at once.
            seconds: Longest wait; 0 or less returns at once.

        Returns:
            Whether the event is set.
        """


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds of the kernel's monotonic clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """The machine's time in UTC."""
        return datetime.now(UTC)

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait on the event; the longest wait that the system knows is 292 years."""
        return event.wait(min(max(0.0, seconds), TIMEOUT_MAX))


def timestamp(moment: datetime) -> str:
    """A moment as the wire and the files write it.

    Args:
        moment: A time with its zone.

    Returns:
        RFC 3339 in UTC with milliseconds, such as `2026-01-31T09:05:00.250Z`.
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
