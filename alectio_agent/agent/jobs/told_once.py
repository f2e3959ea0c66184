"""Remembers which warnings of hooks were logged: loops repeat them, and a log is read in order."""

import threading

from alectio_agent.wire.claims import Step

MOST = 1000
"""Texts that hold a figure differ in each loop: an agent that runs for a year forgets them."""


class ToldOnce:
    """One for the whole agent; the result of each step carries its warnings all the same."""

    def __init__(self) -> None:
        """Start knowing nothing."""
        self._told: set[tuple[str, Step, str]] = set()
        self._lock = threading.Lock()

    def is_new(self, experiment: str, step: Step, text: str) -> bool:
        """Whether a warning was not told yet; it is from now on.

        Args:
            experiment: Its name.
            step: That the hook ran.
            text: Of the warning.
        """
        key = (experiment, step, text)
        with self._lock:
            if key in self._told:
                return False
            if len(self._told) >= MOST:
                self._told.clear()
            self._told.add(key)
            return True
