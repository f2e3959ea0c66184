"""How many connections and files a server may have open."""

import resource
from pathlib import Path

MOST_WAITING = 8192
"""Connections that wait to be accepted: thousands of agents come back at once after an outage."""
KERNEL_LIMIT = Path("/proc/sys/net/core/somaxconn")
KERNEL_DEFAULT = 4096
MOST_FILES = 65_536


def backlog(kernel_limit: Path = KERNEL_LIMIT) -> int:
    """The length of a listening socket's queue, as long as this machine allows.

    Args:
        kernel_limit: Holds the kernel's own limit.
    """
    try:
        allowed = int(kernel_limit.read_text("ascii"))
    except (OSError, ValueError):  # a system without it, or a closed /proc
        allowed = KERNEL_DEFAULT
    return min(MOST_WAITING, allowed)


def allow_open_files() -> int:
    """Let this process open as many files as it may; the usual 1,024 are 1,000 agents.

    Returns:
        The limit from here on.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    wanted = MOST_FILES if hard == endless else min(MOST_FILES, hard)
    if soft == endless or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
