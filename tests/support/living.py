"""Processes that tests start for real: whether they live, and waiting for their end."""

import os
import select
from pathlib import Path


def state_of(pid: int) -> str:
    """The letter of a process's state, such as T for one that was stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def is_running(pid: int) -> bool:
    """Whether a process lives; one that ended and was not reaped does not."""
    try:
        state = state_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def await_end(pid: int, patience_s: float = 30) -> None:
    """Wait until a process has ended."""
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(end, select.POLLIN)
        assert poll.poll(patience_s * 1000), f"process {pid} lives on"
    finally:
        os.close(end)
