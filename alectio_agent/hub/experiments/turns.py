"""Since when jobs are available: the oldest goes first, also after the wall clock was set back."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.hub.store.tables import jobs

_NEWEST = select(func.max(jobs.c.available_at))


class Turns:
    """Moments that only grow; used in the writer's thread."""

    def __init__(self, clock: Clock) -> None:
        """Start without having read the newest.

        Args:
            clock: Tells the wall-clock time.
        """
        self._clock = clock
        self._newest: datetime | None = None

    def next(self, tx: Connection) -> str:
        """The moment of a job that becomes available now.

        Args:
            tx: A writing transaction.

        Returns:
            The time to the microsecond, or just after that of the job before it.
        """
        if self._newest is None:
            found = tx.execute(_NEWEST).scalar()
            self._newest = (
                datetime.fromisoformat(found) if found else datetime.min.replace(tzinfo=UTC)
            )
        self._newest = max(self._clock.now(), self._newest + timedelta(microseconds=1))
        return timestamp(self._newest, is_fine=True)
