"""Takes note of how a hook process ended, and only later lets go of its number."""

import os
import resource
import subprocess

KIB = 1024


def exit_code(pid: int) -> int | None:
    """How a child process ended; it is not reaped, so that its group keeps its number.

    Args:
        pid: Of a child that was not reaped yet.

    Returns:
        Its exit code, or minus the number of the signal that ended it; None while it runs.
    """
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def reap(process: "subprocess.Popen[bytes]") -> int:
    """Let go of a process that has ended.

    Args:
        process: Nobody else has waited for it.

    Returns:
        The most memory that it held at any time, or that one of its children did that it waited
        for, in bytes; 0 when that is not known.
    """
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Between fork and exec it is a copy of this process, whose own peak it keeps for ever.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage.ru_maxrss * KIB if usage.ru_maxrss > own else 0
