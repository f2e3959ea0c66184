"""How much memory a hook takes with all that it started, looked at each second of a call."""

import os
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.hooks.processes import (
    PROC,
    Leader,
    all_pids,
    carries,
    living,
    with_descendants,
)
from alectio_agent.core.clock import Clock

SAMPLE_S = 1.0
MOST_OF_TIME = 0.2
"""Of one core: to add up the shared pages of eight workers on a set of 1.5 GB takes 0.3 s."""
NEAR = 15 / 16
"""Pages are counted a little late: only what lies below this share of the limit is certain."""
MOST_NAMED = 5
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Share:
    """The memory of one process.

    Attributes:
        name: Of its program, at most 15 letters.
        bytes: What it holds alone, and its part of what it shares (PSS).
    """

    pid: int
    name: str
    bytes: int


@dataclass(frozen=True)
class Excess:
    """A hook that took more memory than it may.

    Attributes:
        count: Of its processes.
        largest: The largest of them, largest first.
    """

    limit_bytes: int
    found_bytes: int
    count: int
    largest: tuple[Share, ...]


class Family:
    """The processes of a hook. Most looks read nothing of processes that were there before."""

    def __init__(self, leader: Leader) -> None:
        """Know nobody yet.

        Args:
            leader: The hook process.
        """
        self._leader = leader
        self._ours: set[int] = set()
        self._others: set[int] = set()

    def look(self) -> set[int]:
        """The numbers of those that live now.

        Whoever was one of them stays one, wherever it goes, also when its parent has ended.
        """
        pids = all_pids()
        self._ours &= pids
        self._others &= pids
        fresh = living(pids - self._ours - self._others)
        leader = self._leader
        known = {
            process.pid
            for process in fresh
            if process.pgid == leader.pgid or carries(process.pid, leader.marker)
        }
        self._ours = with_descendants(self._ours | known, fresh)
        self._others = pids - self._ours
        return self._ours


class MemoryWatch:
    """The limit of one call, which begins now."""

    def __init__(self, limit_bytes: int, family: Family, clock: Clock) -> None:
        """Take the first sample soon.

        Args:
            limit_bytes: More is too much.
            family: Whose memory counts.
            clock: For when a sample is due.
        """
        self._limit_bytes = limit_bytes
        self._family = family
        self._clock = clock
        self.due_s: float = clock.monotonic() + SAMPLE_S

    def look(self) -> Excess | None:
        """Take a sample when one is due.

        Returns:
            None as long as the hook holds no more than it may.
        """
        began_s = self._clock.monotonic()
        if began_s < self.due_s:
            return None
        excess = self._sample()
        now_s = self._clock.monotonic()
        self.due_s = now_s + max(SAMPLE_S, (now_s - began_s) / MOST_OF_TIME)
        return excess

    def _sample(self) -> Excess | None:
        pids = self._family.look()
        # What a process holds is at least its part of it, and is told at once.
        if sum(held_bytes(_folder(pid)) for pid in pids) <= self._limit_bytes * NEAR:
            return None
        shares = [Share(pid, *_name_and_part(_folder(pid))) for pid in pids]
        found_bytes = sum(share.bytes for share in shares)
        if found_bytes <= self._limit_bytes:
            return None
        shares.sort(key=lambda share: share.bytes, reverse=True)
        return Excess(self._limit_bytes, found_bytes, len(shares), tuple(shares[:MOST_NAMED]))


def held_bytes(folder: Path) -> int:
    """What a process holds in memory (RSS), shared or not.

    Args:
        folder: Of the process, below `/proc`.

    Returns:
        Bytes; 0 when it has ended.
    """
    try:
        return int((folder / "statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def part_bytes(folder: Path) -> int:
    """A process's part of the memory that it holds (PSS); all of it where that is not told.

    Args:
        folder: Of the process, below `/proc`.

    Returns:
        Bytes; 0 when it has ended.
    """
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except OSError:
        return held_bytes(folder)
    found = next((line for line in lines if line.startswith("Pss:")), None)
    return held_bytes(folder) if found is None else int(found.split()[1]) * 1024


def _name_and_part(folder: Path) -> tuple[str, int]:
    try:
        name = (folder / "comm").read_text(errors="replace").strip()
    except OSError:
        name = "?"
    return name, part_bytes(folder)


def _folder(pid: int) -> Path:
    return PROC / str(pid)
