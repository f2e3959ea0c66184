"""One hook process: talks to it over two pipes, ends it with all that it started."""

import json
import logging
import os
import select
import signal
from array import array
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from threading import Event
from typing import Any

from alectio_agent.agent.hooks.groups import Groups, end_group, is_group_empty, start_time
from alectio_agent.agent.hooks.launching import Launch, start_process
from alectio_agent.agent.hooks.limits import NO_LIMITS, Limits, Overrun, Watch
from alectio_agent.agent.hooks.stopping import CANCEL_GRACE_S, Stopper
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreUnavailableError

log = logging.getLogger(__name__)

END_GRACE_S = 5.0
"""For the user's exit handlers, when a process is no longer needed."""
LOOK_S = 0.02
LONGEST_POLL_MS = 2**30
"""The system call takes an int of 32 bits; a longer wait is made of several."""
CHUNK = 2**20
_NOTHING = memoryview(b"")

Report = dict[str, Any]
OnReport = Callable[[Report], None]


class ChildEndedError(Exception):
    """The process ended without an answer.

    Attributes:
        code: Exit code, or minus the signal's number.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def ending(self) -> str:
        """For people."""
        if self.code >= 0:
            return f"ended by itself with exit code {self.code}"
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-self.code).name}"
        return f"was killed by signal {-self.code}"


class StoppedError(Exception):
    """The running command was stopped; the process must be killed.

    Attributes:
        overrun: The limit that it went over; None when another thread asked.
    """

    def __init__(self, overrun: Overrun | None) -> None:
        super().__init__(overrun)
        self.overrun = overrun


class ChildProcess:
    """Used by one thread only, which lives as long as the agent: the child dies with it."""

    def __init__(self, launch: Launch, groups: Groups, clock: Clock) -> None:
        """Start the process; no user code runs before the first command.

        Args:
            launch: How.
            groups: Remembers its process group.
            clock: For waiting.

        Raises:
            HookLoadError: The interpreter cannot be started.
        """
        self._groups = groups
        self._clock = clock
        self._marker = launch.marker
        self._buffered = b""
        self._is_deaf = self._is_ended = False
        self._process, self._commands, self._reports = start_process(launch)
        self.pgid = self._process.pid
        self._pidfd = os.pidfd_open(self.pgid)
        self._started = start_time(self.pgid)
        try:
            groups.add(self.pgid, self._started, self._marker)
        except BaseException:
            self.kill()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return not self._is_ended and self._process.poll() is None

    def call(
        self,
        command: dict[str, Any],
        stopper: Stopper,
        on_report: OnReport,
        limits: Limits = NO_LIMITS,
    ) -> Report:
        """Send a command and wait for its end.

        Args:
            command: With the key `do`.
            stopper: May end the wait; is asked to when a limit is reached.
            on_report: Gets the reports on the way.
            limits: How long it may take.

        Returns:
            The report `done` or `failed`.

        Raises:
            ChildEndedError: The process ended first.
            StoppedError: Somebody asked to stop, or a limit did. The group got TERM, and its grace.
        """
        unsent = memoryview(_encode(command))
        is_told = False
        watch = Watch(limits, self._clock)

        def hear(report: Report) -> None:
            watch.hear(report)
            on_report(report)

        while True:
            if not is_told and watch.overrun is not None:
                stopper.ask(CANCEL_GRACE_S, watch.overrun)
            deadline_s = stopper.deadline_s
            if deadline_s is not None and not is_told:
                self._terminate(deadline_s)
                is_told = True
            if deadline_s is not None and self._is_over(deadline_s):
                raise StoppedError(stopper.overrun)
            ends_s = watch.ends_s if deadline_s is None else deadline_s
            unsent = self._turn(unsent, stopper, ends_s)
            answer = self._read_reports(hear)
            if is_told:
                continue
            if answer is not None:
                return answer
            if not self.is_alive:
                raise ChildEndedError(self._process.returncode)

    def interrupt(self) -> None:
        """What Ctrl-C does to a process; it is alive."""
        with suppress(ProcessLookupError):
            os.kill(self.pgid, signal.SIGINT)

    def end(self) -> None:
        """Let the process end by itself, then make sure of it; nothing of its group stays."""
        if self._is_ended:
            return
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        with suppress(OSError):
            os.write(self._commands, b'{"do": "end"}\n')
            poll.poll(END_GRACE_S * 1000)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once; the second time nothing happens."""
        if self._is_ended:
            return
        self._is_ended = True
        end_group(self.pgid, self._started, self._marker, self._clock)
        self._process.wait()
        for descriptor in (self._commands, self._reports, self._pidfd):
            os.close(descriptor)
        # A row that a full disk keeps is looked at by the next start, which finds nothing to end.
        with suppress(StoreUnavailableError):
            self._groups.remove(self.pgid)

    def _turn(self, unsent: memoryview, stopper: Stopper, ends_s: float | None) -> memoryview:
        """Wait until something happens, or until a time; send what can be sent.

        Returns:
            What is still to send.
        """
        poll = select.poll()
        ears = [] if self._is_deaf else [self._reports]
        for descriptor in (*ears, self._pidfd, stopper.fd):
            poll.register(descriptor, select.POLLIN)
        if unsent:
            poll.register(self._commands, select.POLLOUT)
        ready = {descriptor for descriptor, _ in poll.poll(self._left_ms(ends_s))}
        if stopper.fd in ready:
            stopper.hush()
        if self._pidfd in ready and stopper.deadline_s is not None:
            # Ended, but its group may not be: there is nothing to wait on for that.
            self._clock.wait(Event(), LOOK_S)
        if self._commands in ready:
            try:
                unsent = unsent[os.write(self._commands, unsent[:CHUNK]) :]
            except BlockingIOError:
                return unsent
            except OSError:
                return _NOTHING  # nobody reads any more; its end is noticed by the process itself
        # An empty view would keep the whole command, for as long as the hook runs.
        return unsent if unsent else _NOTHING

    def _read_reports(self, on_report: OnReport) -> Report | None:
        """Hand on what came; gives the last report of the command, when it is there."""
        while True:
            try:
                read = os.read(self._reports, CHUNK)
            except BlockingIOError:
                break
            if not read:
                self._is_deaf = True  # its end is closed; only the end of the process is left
                break
            self._buffered += read
        answer = None
        *lines, self._buffered = self._buffered.split(b"\n")
        for line in lines:
            report = _parse(line)
            if report.get("report") in ("done", "failed"):
                answer = report
            else:
                on_report(report)
        return answer

    def _left_ms(self, ends_s: float | None) -> int | None:
        """Milliseconds until a time, as `poll` takes them."""
        if ends_s is None:
            return None
        left_ms = ceil(1000 * max(0.0, ends_s - self._clock.monotonic()))
        return min(left_ms, LONGEST_POLL_MS)

    def _terminate(self, deadline_s: float) -> None:
        if self._clock.monotonic() < deadline_s:
            # The process is not reaped before this thread says so: its number is still its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pgid, signal.SIGTERM)

    def _is_over(self, deadline_s: float) -> bool:
        """Whether a stop needs no more waiting."""
        return self._clock.monotonic() >= deadline_s or is_group_empty(self.pgid)


def _encode(command: dict[str, Any]) -> bytes:
    return json.dumps(command, default=_plain, separators=(",", ":")).encode("ascii") + b"\n"


def _plain(value: Any) -> list[Any] | str:
    """What JSON has no form of: samples in an array, paths."""
    return value.tolist() if isinstance(value, array) else str(value)


def _parse(line: bytes) -> Report:
    try:
        report = json.loads(line)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        log.debug("a hook process wrote into its report pipe: %r", line[:200])
        return {}
    return report
