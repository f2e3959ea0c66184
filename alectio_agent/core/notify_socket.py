"""Tells a service manager how this process stands, as sd_notify(3) describes it."""

import logging
import os
import socket
from collections.abc import Mapping
from typing import Self

from alectio_agent.core.log import printable

log = logging.getLogger(__name__)

VARIABLE = "NOTIFY_SOCKET"
READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"
SEND_S = 5.0
"""A queue that is full for so long belongs to a service manager that does not read."""
STATUS_CHARS = 300


class NotifySocket:
    """The socket that systemd names in the environment; without one nothing is told."""

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        """Bind it to an address.

        Args:
            address: As in `NOTIFY_SOCKET`: a path, or `@name` of an abstract one; empty for none.
            watchdog_s: How long silence may last before the process is killed; None for ever.
        """
        self._address = address
        self.watchdog_s = watchdog_s

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Read the address, and whether the watchdog is about this very process.

        Args:
            environment: The process's variables.
        """
        address = environment.get(VARIABLE, "")
        if not address.startswith(("/", "@")):
            return cls("")
        return cls(address, _watchdog_s(environment))

    @property
    def is_heard(self) -> bool:
        """Whether a service manager listens."""
        return bool(self._address)

    def tell(self, *lines: str) -> None:
        """Send one message; one that does not arrive is no reason to fail.

        Args:
            lines: Such as `READY=1`.
        """
        if not self._address or not lines:
            return
        # The address of an abstract socket begins with a zero byte.
        name = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.settimeout(SEND_S)
                line.sendto("\n".join(lines).encode(), name)
        except OSError as error:
            log.debug("%s: not told %s: %s", VARIABLE, printable(lines[0]), error)


def reloading(now_s: float) -> tuple[str, str]:
    """The lines that say that it reads its configuration, and since when.

    Args:
        now_s: By the machine's monotonic clock.
    """
    return "RELOADING=1", f"MONOTONIC_USEC={round(now_s * 1_000_000)}"


def extend_stop(seconds: float) -> str:
    """The line that asks for more time.

    Args:
        seconds: From now on.
    """
    return f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}"


def status(words: str) -> str:
    """The line that `systemctl status` shows.

    Args:
        words: For people; cut and escaped to be one line.
    """
    return f"STATUS={printable(words, STATUS_CHARS)}"


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    told, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not told.isdecimal() or int(told) == 0 or process not in ("", str(os.getpid())):
        return None
    return int(told) / 1_000_000
