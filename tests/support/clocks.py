"""A clock that tests turn by hand."""

import time
from datetime import UTC, datetime, timedelta
from threading import TIMEOUT_MAX, Event


class FakeClock:
    """Implements `core.clock.Clock`; waiting advances it and is recorded."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self._elapsed_s

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def wait(self, event: Event, seconds: float) -> bool:
        self.waits.append(seconds)
        if not event.is_set():
            self._elapsed_s += max(0.0, seconds)
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed_s += seconds

    def set_wall(self, days: float) -> None:
        """Set the wall clock so many days ahead, or back; durations know nothing of it."""
        self._start += timedelta(days=days)


class HurriedClock:
    """The clock of the machine, 200 times as fast: 35 s take 0.18 s, and are really waited."""

    def __init__(self, pace: float = 200) -> None:
        self._pace = pace

    def monotonic(self) -> float:
        return time.monotonic() * self._pace

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, event: Event, seconds: float) -> bool:
        return event.wait(min(max(0.0, seconds / self._pace), TIMEOUT_MAX))
