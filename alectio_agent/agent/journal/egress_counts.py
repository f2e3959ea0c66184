"""Polls and beats: thousands of calls that say little, counted by the hour."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from alectio_agent.agent.journal.egress_rows import joined
from alectio_agent.agent.journal.outgoing import About, Way
from alectio_agent.core.sqlite import Row

Run = Callable[..., list[Row]]
Key = tuple[str, str, str, str]


@dataclass
class Sum:
    """Calls of one kind, in one hour, by one way."""

    calls: int = 0
    size_bytes: int = 0
    fields: frozenset[str] = frozenset()


def hour_of(moment: datetime) -> str:
    """The hour in which a moment lies, in UTC.

    Args:
        moment: In UTC.
    """
    return f"{moment:%Y-%m-%dT%H:00:00Z}"


class EgressCounts:
    """What was counted and is not in the database yet; from any thread."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._lock = threading.Lock()
        self._sums: dict[Key, Sum] = {}

    def add(self, about: About, way: Way, size_bytes: int, now: datetime) -> None:
        """Count a call.

        Args:
            about: What it is.
            way: Where it goes.
            size_bytes: Of its body.
            now: In UTC.
        """
        key = (hour_of(now), way.target, way.via or "", about.call)
        with self._lock:
            found = self._sums.setdefault(key, Sum())
            found.calls += 1
            found.size_bytes += size_bytes
            if not found.fields.issuperset(about.fields):
                found.fields |= frozenset(about.fields)

    def write(self, run: Run) -> Callable[[], None]:
        """Add what was counted to what the database has.

        Args:
            run: Runs a statement of a transaction.

        Returns:
            Forgets it here: to be called when the transaction went through.
        """
        with self._lock:
            written = {key: (found.calls, found.size_bytes) for key, found in self._sums.items()}
            sums = {key: (found.calls, found.size_bytes, found.fields) for key, found in
                    self._sums.items()}  # fmt: skip
        for key, (calls, size_bytes, names) in sums.items():
            _add(run, key, calls, size_bytes, names)
        return lambda: self._forget(written)

    def _forget(self, written: dict[Key, tuple[int, int]]) -> None:
        with self._lock:
            for key, (calls, size_bytes) in written.items():
                found = self._sums[key]
                found.calls -= calls
                found.size_bytes -= size_bytes
                if not found.calls:
                    del self._sums[key]


def _add(run: Run, key: Key, calls: int, size_bytes: int, names: frozenset[str]) -> None:
    had = run(
        "SELECT calls, size_bytes, fields FROM counting "
        "WHERE hour = ? AND target = ? AND via = ? AND call = ?",
        key,
    )
    if had:
        calls, size_bytes = calls + had[0]["calls"], size_bytes + had[0]["size_bytes"]
        names = names | frozenset(had[0]["fields"].split())
    run(
        "INSERT OR REPLACE INTO counting VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*key, calls, size_bytes, joined(names)),
    )
