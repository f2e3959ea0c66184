"""The hook process must never outlive the agent, nor be spared when memory runs out."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
OOM_SCORE_FILE = Path("/proc/self/oom_score_adj")
OOM_SCORE = 500
"""So much above the agent's, and this at least, of -1000 to 1000: when memory runs out the kernel
ends this process, and what it starts, before the agent and the rest of the machine."""
HIGHEST_OOM_SCORE = 1000


def guard(agent: int) -> None:
    """Tie this process to the agent, before any user code runs.

    Args:
        agent: Process id of the agent.
    """
    _die_with(agent)
    with suppress(OSError, ValueError):
        be_first_in_line(OOM_SCORE_FILE)
    # The agent's threads may block signals or ignore them; both would be inherited.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(Exception):
        faulthandler.enable()  # a segmentation fault leaves its place in the job's log


def be_first_in_line(file: Path) -> None:
    """Raise the score by which the kernel chooses whom to end when memory runs out.

    Args:
        file: Holds the score, which was the agent's until now.
    """
    inherited = int(file.read_text(encoding="ascii"))
    score = max(OOM_SCORE, min(inherited + OOM_SCORE, HIGHEST_OOM_SCORE))
    file.write_text(str(score), encoding="ascii")


def end_group() -> None:
    """Kill this process and everything that it started in its group."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _die_with(agent: int) -> None:
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        return  # no such call here: the end of the command pipe does it
    # The agent may have died before the call above; its death is then never told.
    if os.getppid() != agent and not _is_alive(agent):
        os._exit(1)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
