"""The only place that reads the time or waits, so that tests can stand in for both."""

import time
from datetime import UTC, datetime
from threading import TIMEOUT_MAX, Event
from typing import Protocol

MILLISECOND_CHARS = len("2026-01-31T09:05:00.250")


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


def timestamp(moment: datetime, *, is_fine: bool = False) -> str:
    """A moment as the wire and the files write it.

    Args:
        moment: A time with its zone.
        is_fine: With microseconds, for what is ordered or measured.

    Returns:
        RFC 3339 in UTC with milliseconds, such as `2026-01-31T09:05:00.250Z`.
    """
    spec = "microseconds" if is_fine else "milliseconds"
    return moment.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")


def coarse(text: str) -> str:
    """A timestamp as the wire writes it.

    Args:
        text: With milliseconds or finer, in UTC.

    Returns:
        The same with milliseconds.
    """
    return f"{text[:MILLISECOND_CHARS]}Z"
