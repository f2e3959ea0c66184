"""Runs a command line that an operator has configured: for a while at most, and to its end."""

import os
import select
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

from alectio_agent.core.clock import Clock
from alectio_agent.core.log import printable

SHELL = "/bin/sh"
TAIL_BYTES = 4096
"""Of what it prints: the last line says what went wrong."""


@dataclass(frozen=True)
class CommandEnd:
    """How a command ended.

    Attributes:
        code: Exit code, or minus the signal's number; None when it was killed here.
        last_line: Of what it printed, on either stream.
    """

    code: int | None
    last_line: str


class ShellCommand:
    """One command line, run again and again by one thread."""

    def __init__(self, line: str, environment: Mapping[str, str], clock: Clock) -> None:
        """Bind it; nothing runs yet.

        Args:
            line: For `/bin/sh -c`.
            environment: All variables that it sees.
            clock: For the limit.
        """
        self._line = line
        self._environment = dict(environment)
        self._clock = clock
        self._cut = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def cut(self) -> None:
        """Kill it, now and whenever it is run again; from any thread."""
        os.eventfd_write(self._cut, 1)

    def run(self, text: bytes, limit_s: float) -> CommandEnd:
        """Run it to its end, or to a limit. Its process group is killed afterwards.

        Args:
            text: On its standard input.
            limit_s: The longest that it may take.
        """
        given = os.memfd_create("event")
        try:
            os.write(given, text)
            os.lseek(given, 0, os.SEEK_SET)
            process = subprocess.Popen(  # noqa: S603 - what the operator has configured
                [SHELL, "-c", self._line],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            return CommandEnd(None, f"{SHELL} cannot be started: {error}")
        finally:
            os.close(given)
        return self._attend(process, self._clock.monotonic() + limit_s)

    def _attend(self, process: "subprocess.Popen[bytes]", ends_s: float) -> CommandEnd:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        prints = process.stdout.fileno()
        os.set_blocking(prints, False)
        pidfd = os.pidfd_open(process.pid)
        try:
            tail, has_ended = self._watch(prints, pidfd, ends_s)
        finally:
            # Before it is reaped: until then the number of the group is its own.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
            os.close(pidfd)
            process.stdout.close()
        return CommandEnd(code if has_ended else None, _last_line(tail))

    def _watch(self, prints: int, pidfd: int, ends_s: float) -> tuple[bytes, bool]:
        """Keep the end of what it prints; also tells whether it ended in time."""
        poll = select.poll()
        for descriptor in (prints, pidfd, self._cut):
            poll.register(descriptor, select.POLLIN)
        tail = b""
        while True:
            left_ms = ceil(1000 * max(0.0, ends_s - self._clock.monotonic()))
            ready = {descriptor for descriptor, _ in poll.poll(left_ms)}
            if prints in ready or pidfd in ready:
                read = _read(prints)
                tail = (tail + read)[-TAIL_BYTES:]
                if not read and prints in ready and pidfd not in ready:
                    poll.unregister(prints)  # closed: only the end of the process is left
            if pidfd in ready:
                return tail, True
            if not ready or self._cut in ready:
                return tail, False


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 2**16)
    except BlockingIOError:
        return b""


def _last_line(tail: bytes) -> str:
    lines = tail.decode(errors="replace").split("\n")
    return printable(next((line for line in reversed(lines) if line.strip()), "").strip(), 300)
