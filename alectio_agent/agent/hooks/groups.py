"""Process groups of hooks: who belongs to one, and how it is ended for good."""

import logging
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Protocol

from alectio_agent.agent.hooks.processes import (
    MARKER_VARIABLE,
    PROC,
    Leader,
    Process,
    all_pids,
    carries,
    environment,
    living,
    read_process,
    with_descendants,
)
from alectio_agent.core.clock import Clock
from alectio_agent.core.ids import new_id

log = logging.getLogger(__name__)

HOME_VARIABLE = "ALECTIO_HOOK_HOME"
"""Says whose hook process it is: an agent that has lost its journal finds its own by this."""
PATIENCE_S = 10.0
"""For processes that were killed and do not go away: they hang in the kernel, on a dead disk."""
LOOK_S = 0.01
EMPTY_LOOKS = 5
"""Before a group that forked while it was killed is taken for ended."""
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


def _nothing(process: Process) -> None:
    """Whoever only looks."""


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


def is_group_empty(pgid: int) -> bool:
    """Whether no process of a group lives; those that ended and were not reaped do not count."""
    return not any(process.pgid == pgid for process in living(all_pids()))


def end_group(pgid: int, started: int, marker: str, clock: Clock) -> frozenset[int]:
    """Kill every process of a group, those that left it but carry its marker, and all their kin.

    Nothing is killed that is not ours: the group must have the leader that was journalled, or a
    member with the marker.

    Args:
        pgid: Id of the group, which is the process id of its leader.
        started: Start time of the leader.
        marker: As in the environment of the hook process.
        clock: To wait until all are gone.

    Returns:
        Those that were killed and live on, in the kernel; empty when all are gone.
    """
    leader = Leader(pgid, started, marker)
    deadline_s = clock.monotonic() + PATIENCE_S
    seen: frozenset[int] = frozenset()
    left_looks = 1
    while left_looks:
        found = find_group(leader, _kill_one)
        pids = frozenset(process.pid for process in found)
        if found and clock.monotonic() >= deadline_s:
            log.warning("E-HOOK-16  processes of a hook cannot be killed: %s", sorted(pids))
            return pids
        _kill(leader, found)
        if not found:
            left_looks -= 1
        elif seen and not pids <= seen:
            # Born while others were killed: a wait would give them time for more, and one look
            # that finds none says little.
            left_looks = EMPTY_LOOKS
        else:
            clock.wait(Event(), LOOK_S)
        seen |= pids
    return frozenset()


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
    environments = [environment(process.pid) for process in living(all_pids())]
    return {
        entry.partition(b"=")[2].decode(errors="replace")
        for variables in environments
        if home in variables
        for entry in variables
        if entry.startswith(boot)
    }


def find_group(leader: Leader, on_sight: Callable[[Process], None] = _nothing) -> list[Process]:
    """The living processes of a hook.

    Args:
        leader: The hook process, which may have ended.
        on_sight: Called at once with each that carries the marker.

    Returns:
        None of them is this process itself.
    """
    if leader.marker.partition(".")[0] != _boot():
        return []  # the machine was started anew: its processes are gone, their numbers given away
    alive, carrying = _look(leader.marker, on_sight)
    members = {process.pid for process in alive if process.pgid == leader.pgid}
    known = carrying | (members if members & carrying or _is_leader_there(leader) else set())
    # A process may leave the group and write over its environment: its parent gives it away.
    kin = with_descendants(known - {os.getpid()}, alive) - {os.getpid()}
    return [process for process in alive if process.pid in kin]


def _look(marker: str, on_sight: Callable[[Process], None]) -> tuple[list[Process], set[int]]:
    """All that live, and those of them that carry the marker.

    The youngest come first: some fork and end so quickly that they would be gone at their turn.
    """
    alive, carrying = [], set()
    for pid in sorted(all_pids(), reverse=True):
        found = read_process(pid)
        if found is not None and found.is_alive:
            alive.append(found)
            if pid != os.getpid() and carries(pid, marker):
                carrying.add(pid)
                on_sight(found)
    return alive, carrying


def _is_leader_there(leader: Leader) -> bool:
    """Whether the number is still the leader's; one that was not reaped keeps it."""
    found = read_process(leader.pgid)
    return found is not None and found.start_time == leader.start_time


def _kill(leader: Leader, found: Iterable[Process]) -> None:
    """Whole groups first: no member can fork away while its group is killed."""
    pids = {process.pid for process in found}
    groups = {process.pgid for process in found if process.pgid in {*pids, leader.pgid}}
    for pgid in groups - {os.getpgrp()}:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pgid, signal.SIGKILL)
    for process in found:
        _kill_one(process)


def _kill_one(process: Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process.pid, signal.SIGKILL)


def _boot() -> str:
    return BOOT_ID.read_text().strip()
