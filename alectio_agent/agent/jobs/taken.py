"""The leases that were taken in hand in this life of the agent."""

from collections.abc import Callable, Iterable, Iterator

ROOM = 100
"""Leases that are added before it is looked which of them have ended."""


class TakenLeases:
    """A set that forgets, now and then, what the journal has closed; of one thread."""

    def __init__(self, still_open: Callable[[], Iterable[str]]) -> None:
        """Start without any.

        Args:
            still_open: Gives the leases of all jobs that are not closed.
        """
        self._still_open = still_open
        self._taken: set[str] = set()
        self._full_at = ROOM

    def __contains__(self, lease: str) -> bool:
        """Whether a lease was taken, as long as its job is not closed."""
        return lease in self._taken

    def __iter__(self) -> Iterator[str]:
        """All that are remembered."""
        return iter(self._taken)

    def add(self, lease: str) -> None:
        """Remember a lease.

        Args:
            lease: In the journal.
        """
        self._taken.add(lease)
        if len(self._taken) >= self._full_at:
            self._taken.intersection_update(self._still_open())
            self._full_at = 2 * len(self._taken) + ROOM

    def keep(self, is_kept: Callable[[str], bool]) -> None:
        """Forget all others.

        Args:
            is_kept: Whether a lease stays.
        """
        self._taken = set(filter(is_kept, self._taken))
