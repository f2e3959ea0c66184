"""Runs a command line of the user's: in a process group of its own, and bounded in time."""

import os
import select
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

from alectio_agent.agent.hooks.environment import without_secrets
from alectio_agent.core.clock import Clock
from alectio_agent.core.log import printable

SHELL = "/bin/sh"
LONGEST_LINE = 300
KEPT_BYTES = 4096
"""Of its output: the last line is in there."""
PATIENCE_S = 5.0
"""For a process that was killed and does not go away: it hangs in the kernel, on a dead disk."""


@dataclass(frozen=True)
class CommandEnd:
    """How a command ended.

    Attributes:
        code: Its exit code, or minus the signal's number; None when it was ended here.
        last_line: The last that it printed; empty when it printed nothing.
        is_stopped: It was ended because somebody called `stop`.
    """

    code: int | None
    last_line: str = ""
    is_stopped: bool = False


class ShellCommand:
    """One thread runs it, again and again; `stop` comes from any other.

    Attributes:
        line: For `/bin/sh -c`; another one holds from the next run on.
    """

    def __init__(self, line: str, environment: Mapping[str, str], clock: Clock) -> None:
        """Prepare it.

        Args:
            line: For `/bin/sh -c`.
            environment: The agent's variables; the command gets all but its secrets.
            clock: For its time.
        """
        self.line = line
        self._environment = without_secrets(environment)
        self._clock = clock
        self._stopped, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def run(self, limit_s: float, text: bytes = b"") -> CommandEnd:
        """Run it to its end; nothing of its group stays.

        Args:
            limit_s: How long it may take; then its group is killed.
            text: On its standard input.

        Raises:
            OSError: It cannot be started.
        """
        process = self._begin(text)
        assert process.stdout is not None  # noqa: S101 - asked for above
        pidfd = os.pidfd_open(process.pid)
        try:
            with process.stdout as output:
                return self._watch(process, pidfd, output.fileno(), limit_s)
        finally:
            os.close(pidfd)

    def stop(self) -> None:
        """End what runs, from any thread, and whatever is run after this."""
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def _begin(self, text: bytes) -> subprocess.Popen[bytes]:
        given = os.memfd_create("input")  # unlike a pipe it never fills, and nobody has to read it
        try:
            os.write(given, text)
            os.lseek(given, 0, os.SEEK_SET)
            return subprocess.Popen(  # noqa: S603 - the command line that was configured
                [SHELL, "-c", self.line],
                env=self._environment,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(given)

    def _watch(
        self, process: subprocess.Popen[bytes], pidfd: int, output: int, limit_s: float
    ) -> CommandEnd:
        os.set_blocking(output, False)
        deadline_s = self._clock.monotonic() + limit_s
        said, ready, ears = b"", set[int](), [output]
        while not ready & {pidfd, self._stopped} and self._clock.monotonic() < deadline_s:
            left_s = deadline_s - self._clock.monotonic()
            ready = _wait([pidfd, self._stopped, *ears], left_s)
            if output in ready:
                heard = _read(output)
                said, ears = (said + heard)[-KEPT_BYTES:], ears if heard else []
        said += _read(output) if ears else b""
        has_ended = pidfd in ready
        # It is not reaped yet, so that the number of the group is still its own.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        _wait([pidfd], PATIENCE_S)
        code = process.poll()
        return CommandEnd(code if has_ended else None, _last_line(said), self._stopped in ready)


def _wait(descriptors: list[int], wait_s: float) -> set[int]:
    """Those that are readable, as soon as one is, or none after so long."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(ceil(1000 * max(0.0, wait_s)))}


def _read(output: int) -> bytes:
    """What is there; nothing at the end, or when all was read."""
    try:
        return os.read(output, 2**16)
    except BlockingIOError:
        return b""


def _last_line(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return printable(last, LONGEST_LINE)
