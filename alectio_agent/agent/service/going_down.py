"""Whether this machine is going down: then nobody waits for a step of ten hours."""

import logging
import shutil
import subprocess

log = logging.getLogger(__name__)

LONGEST_S = 2.0
"""A system that goes down may not answer any more, and a stop must begin all the same."""


def is_going_down(within_s: float = LONGEST_S) -> bool:
    """Ask systemd; blocks until it answers, at most for some seconds.

    Args:
        within_s: How long.

    Returns:
        Whether the machine shuts down or starts anew; False where that cannot be told.
    """
    command = shutil.which("systemctl")
    if command is None:
        return False
    try:
        asked = subprocess.run(  # noqa: S603 - the system's own
            [command, "is-system-running"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=within_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("whether the machine goes down is not known: %s", error)
        return False
    return asked.stdout.strip() == b"stopping"
