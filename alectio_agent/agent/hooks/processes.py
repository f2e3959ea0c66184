"""The machine's processes, as `/proc` shows them: who lives, who is whose, who carries a marker."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MARKER_VARIABLE = "ALECTIO_HOOK_MARKER"


@dataclass(frozen=True)
class Process:
    """A process.

    Attributes:
        parent: Process id of the one that started it, or that took it in as an orphan.
        start_time: In ticks since the machine started.
        state: One letter, as in `ps`.
    """

    pid: int
    parent: int
    pgid: int
    start_time: int
    state: str

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended; one that ended may still wait to be reaped."""
        return self.state not in "ZX"


@dataclass(frozen=True)
class Leader:
    """A hook process, by which all that it started is known.

    Attributes:
        pgid: Its process id, which is that of its group.
        start_time: In ticks since the machine started.
        marker: Stands in its environment, and in that of its children.
    """

    pgid: int
    start_time: int
    marker: str


def start_time(pid: int) -> int:
    """When a process started, so that a later one with its number is told apart.

    Args:
        pid: Of a process that was not reaped yet.

    Returns:
        Ticks since the machine started; 0 when there is no such process.
    """
    found = read_process(pid)
    return found.start_time if found else 0


def all_pids() -> set[int]:
    """The numbers of all processes."""
    return {int(name) for name in os.listdir(PROC) if name.isdigit()}  # noqa: PTH208 - 3x as fast


def living(pids: Iterable[int]) -> list[Process]:
    """Those of some processes that live.

    Args:
        pids: Their numbers.
    """
    return [found for pid in pids if (found := read_process(pid)) is not None and found.is_alive]


def read_process(pid: int) -> Process | None:
    """What the system knows of a process.

    Args:
        pid: Its number.

    Returns:
        None when there is none.
    """
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold anything, brackets and blanks too.
    fields = text.rpartition(")")[2].split()
    return Process(pid, int(fields[1]), int(fields[2]), int(fields[19]), fields[0])


def carries(pid: int, marker: str) -> bool:
    """Whether a process was started with a marker, or by one that was.

    Args:
        pid: Its number.
        marker: As in the environment of a hook process.
    """
    return f"{MARKER_VARIABLE}={marker}".encode() in environment(pid)


def environment(pid: int) -> list[bytes]:
    """The variables of a process, each as `NAME=value`.

    Args:
        pid: Its number.

    Returns:
        None of a process that is another user's, or gone.
    """
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def with_descendants(pids: Collection[int], among: Iterable[Process]) -> set[int]:
    """Some processes and all that they started, and those started by these, and so on.

    Args:
        pids: Where to begin.
        among: Those that are looked at.
    """
    children: dict[int, list[int]] = {}
    for process in among:
        children.setdefault(process.parent, []).append(process.pid)
    found, fresh = set(pids), list(pids)
    while fresh:
        born = [child for child in children.get(fresh.pop(), ()) if child not in found]
        found.update(born)
        fresh += born
    return found
