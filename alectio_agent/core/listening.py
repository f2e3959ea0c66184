"""How many connections may wait at a listening socket."""

from pathlib import Path

MOST_WAITING = 8192
"""Connections that wait to be accepted: thousands of agents come back at once after an outage."""
KERNEL_LIMIT = Path("/proc/sys/net/core/somaxconn")
KERNEL_DEFAULT = 4096


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
