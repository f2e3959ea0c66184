"""The hook process must never outlive the agent, nor be spared when memory runs out."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
OOM_SCORE = 500
"""Of -1000 to 1000: the kernel ends this process before the agent and the rest of the machine."""


def guard(agent: int) -> None:
    """Tie this process to the agent, before any user code runs.

    Args:
        agent: Process id of the agent.
    """
    _die_with(agent)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
    # The agent's threads may block signals or ignore them; both would be inherited.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(Exception):
        faulthandler.enable()  # a segmentation fault leaves its place in the job's log


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
