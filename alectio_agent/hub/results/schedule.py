"""When which report is made: a large file, which quick loops must not rewrite all the time."""

from typing import Any

LEAST_S = 5.0
"""Between two reports of one experiment that runs."""
TIMES_COST = 10.0
"""So many times what the last one took is waited, if that is longer."""

MOST_KNOWN = 1000
"""Of experiments that are forgotten here the next report is made at once."""

AT_REST = frozenset({"finished", "waiting", "paused", "cancelled"})


class ReportSchedule:
    """Which reports are owed, and from when on they may be made."""

    def __init__(self) -> None:
        """Start with none."""
        self._owed: dict[str, None] = {}
        self._free_at: dict[str, float] = {}
        self._states: dict[str, str] = {}

    @property
    def is_empty(self) -> bool:
        """Whether none is owed."""
        return not self._owed

    @property
    def owed(self) -> set[str]:
        """Names of the experiments whose reports are owed."""
        return set(self._owed)

    def owe(self, name: str) -> None:
        """A report is out of date.

        Args:
            name: Of its experiment.
        """
        self._owed.setdefault(name)

    def saw(self, name: str, state: str) -> None:
        """An experiment changed; when it came to rest, its report is made at once.

        Args:
            name: Of the experiment.
            state: That it is in.
        """
        self.owe(name)
        if state in AT_REST and self._states.get(name) != state:
            self._free_at.pop(name, None)
        self._states.pop(name, None)
        self._states[name] = state
        _forget_oldest(self._states)

    def next(self, now: float) -> str | None:
        """The report to make.

        Args:
            now: On a monotonic clock, in seconds.

        Returns:
            Name of the experiment; None while none may be made.
        """
        return next((name for name in self._owed if self._free_at.get(name, now) <= now), None)

    def any_owed(self) -> str | None:
        """A report that is owed, whether its time has come or not."""
        return next(iter(self._owed), None)

    def made(self, name: str, began: float, ended: float) -> None:
        """A report was made, or cannot be.

        Args:
            name: Of the experiment.
            began: When, on the clock of `next`.
            ended: When it was done.
        """
        self._owed.pop(name, None)
        self._free_at.pop(name, None)
        _forget_oldest(self._free_at)
        self._free_at[name] = ended + max(LEAST_S, TIMES_COST * (ended - began))

    def wait_s(self, now: float) -> float | None:
        """Seconds until a report may be made; None when none is owed.

        Args:
            now: On the same clock.
        """
        times = [self._free_at.get(name, now) for name in self._owed]
        return max(0.0, min(times) - now) if times else None


def _forget_oldest(known: dict[str, Any]) -> None:
    if len(known) > MOST_KNOWN:
        del known[next(iter(known))]
