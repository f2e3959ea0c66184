"""Counts what happens, by a name; an addition each, from any thread."""

import threading
from collections.abc import Callable
from functools import partial


class Tally:
    """Amounts that only grow. They begin at zero with each start of the process."""

    def __init__(self, *names: str) -> None:
        """Start at zero.

        Args:
            names: That are there from the start: what has not happened yet is told as zero.
        """
        self._lock = threading.Lock()
        self._amounts = dict.fromkeys(names, 0.0)

    def add(self, name: str, amount: float = 1.0) -> None:
        """Count something.

        Args:
            name: What it is counted as.
            amount: Of it.
        """
        with self._lock:
            self._amounts[name] = self._amounts.get(name, 0.0) + amount

    def adder(self, name: str) -> Callable[[], None]:
        """A function that counts one.

        Args:
            name: What it is counted as.
        """
        return partial(self.add, name)

    @property
    def amounts(self) -> dict[str, float]:
        """All amounts now, by name."""
        with self._lock:
            return dict(self._amounts)

    @property
    def total(self) -> float:
        """Of all names."""
        return sum(self.amounts.values())
