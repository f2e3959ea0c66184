"""Process groups of hooks: who belongs to one, and how it is ended for good."""

import logging
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

from alectio_agent.core.clock import Clock
from alectio_agent.core.ids import new_id

log = logging.getLogger(__name__)

MARKER_VARIABLE = "ALECTIO_HOOK_MARKER"
HOME_VARIABLE = "ALECTIO_HOOK_HOME"
"""Says whose hook process it is: an agent that has lost its journal finds its own by this."""
PATIENCE_S = 10.0
"""For processes that were killed and do not go away: they hang in the kernel, on a dead disk."""
LOOK_S = 0.01
PROC = Path("/proc")
BOOT_ID = PROC / "sys/kernel/random/boot_id"


class Groups(Protocol):
    """Remembers process groups over a crash of the agent."""

    def add(self, pgid: int, start_time: int, marker: str) -> None:
        """Remember a group before user code runs in it."""

    def remove(self, pgid: int) -> None:
        """Forget a group that has ended."""


class ForgetfulGroups:
    """Remembers nothing: for commands whose hook processes end with them."""

    def add(self, pgid: int, start_time: int, marker: str) -> None:
        """See `Groups`."""

    def remove(self, pgid: int) -> None:
        """See `Groups`."""


@dataclass(frozen=True)
class Process:
    """A living process.

    Attributes:
        start_time: In ticks since the machine started.
    """

    pid: int
    pgid: int
    start_time: int


def new_marker() -> str:
    """A random text that marks all processes of one hook process, in this boot of the machine."""
    return f"{_boot()}.{new_id()}"


def home_mark(folder: Path) -> str:
    """What tells a state folder from all others of this machine, copies of it among them.

    Args:
        folder: Exists.
    """
    found = folder.stat()
    return f"{found.st_dev:x}-{found.st_ino:x}"


def start_time(pid: int) -> int:
    """When a process started, so that a later one with its number is told apart.

    Args:
        pid: Of a process that was not reaped yet.

    Returns:
        Ticks since the machine started; 0 when there is no such process.
    """
    found = _read(pid)
    return found[1].start_time if found else 0


def is_group_empty(pgid: int) -> bool:
    """Whether no process of a group lives; those that ended and were not reaped do not count."""
    return not any(process.pgid == pgid for process in _living())


def end_group(pgid: int, started: int, marker: str, clock: Clock) -> None:
    """Kill every process of a group, and those that left it but carry its marker.

    Nothing is killed that is not ours: the group must have the leader that was journalled, or a
    member with the marker.

    Args:
        pgid: Id of the group, which is the process id of its leader.
        started: Start time of the leader.
        marker: As in the environment of the hook process.
        clock: To wait until all are gone.
    """
    if marker.partition(".")[0] != _boot():
        return  # the machine was started anew: its processes are gone, their numbers given away
    deadline_s = clock.monotonic() + PATIENCE_S
    while found := _ours(pgid, started, marker):
        if clock.monotonic() >= deadline_s:
            log.warning("processes of a hook cannot be killed: %s", sorted(found))
            return
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        clock.wait(Event(), LOOK_S)


def end_strays(home: str, clock: Clock) -> None:
    """Kill every process that hooks of an agent's earlier life have left, known or not.

    Args:
        home: Of the agent's state folder, which is locked: no other agent works there.
        clock: To wait until all are gone.
    """
    wanted = f"{HOME_VARIABLE}={home}".encode(), f"{MARKER_VARIABLE}={_boot()}.".encode()
    while markers := _markers(*wanted):
        for marker in markers:
            end_group(-1, 0, marker, clock)
        if _markers(*wanted) <= markers:
            return  # what hangs in the kernel was named, and cannot be waited for


def _markers(home: bytes, boot: bytes) -> set[str]:
    """The markers of living processes of a state folder, from this boot of the machine."""
    environments = [_environment(process.pid) for process in _living()]
    return {
        entry.partition(b"=")[2].decode(errors="replace")
        for environment in environments
        if home in environment
        for entry in environment
        if entry.startswith(boot)
    }


def _ours(pgid: int, started: int, marker: str) -> set[int]:
    living = _living()
    carrying = {process.pid for process in living if _carries(process.pid, marker)}
    members = {process.pid for process in living if process.pgid == pgid}
    is_ours = bool(members & carrying) or any(
        process.pid == pgid and process.start_time == started for process in living
    )
    return ((members if is_ours else set()) | carrying) - {os.getpid()}


def _living() -> list[Process]:
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    found = [read for pid in pids if (read := _read(pid))]
    return [process for state, process in found if state not in "ZX"]


def _read(pid: int) -> tuple[str, Process] | None:
    """State and identity of a process."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold anything, brackets and blanks too.
    fields = text.rpartition(")")[2].split()
    return fields[0], Process(pid, int(fields[2]), int(fields[19]))


def _carries(pid: int, marker: str) -> bool:
    return f"{MARKER_VARIABLE}={marker}".encode() in _environment(pid)


def _environment(pid: int) -> list[bytes]:
    """The variables of a process; none of one that is another user's, or gone."""
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _boot() -> str:
    return BOOT_ID.read_text().strip()
