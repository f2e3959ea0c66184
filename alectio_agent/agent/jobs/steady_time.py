"""Time for deciding what is old enough to be removed, whatever somebody does to the clock."""

from datetime import datetime, timedelta

from alectio_agent.core.clock import Clock

MOST_ABSENCE = timedelta(days=1)


class SteadyTime:
    """Never later than the wall clock, and never put forward by a jump of it.

    Within a life of the agent it passes like the monotonic clock. Between two lives nothing can
    tell a long absence from a clock that jumped, so more than a day of it does not count.
    """

    def __init__(self, clock: Clock, last_seen: datetime | None) -> None:
        """Begin now.

        Args:
            clock: Both clocks.
            last_seen: The newest moment that earlier lives have written down; None without any.
        """
        self._clock = clock
        now = clock.now()
        self._began = now if last_seen is None else min(now, last_seen + MOST_ABSENCE)
        self._began_s = clock.monotonic()

    def now(self) -> datetime:
        """The time, in UTC."""
        passed = timedelta(seconds=self._clock.monotonic() - self._began_s)
        return min(self._clock.now(), self._began + passed)
