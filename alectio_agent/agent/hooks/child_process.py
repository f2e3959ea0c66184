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

from alectio_agent.agent.hooks.endings import ChildEndedError, OverMemoryError, StoppedError
from alectio_agent.agent.hooks.groups import Groups, end_group, is_group_empty
from alectio_agent.agent.hooks.launching import Launch, start_process
from alectio_agent.agent.hooks.limits import NO_LIMITS, Limits, Watch
from alectio_agent.agent.hooks.memory import Family, MemoryWatch
from alectio_agent.agent.hooks.processes import Leader, start_time
from alectio_agent.agent.hooks.reaping import exit_code, reap
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
_END = b'{"do": "end"}\n'
_STOP = b'{"do": "stop"}\n'

Report = dict[str, Any]
OnReport = Callable[[Report], None]


class ChildProcess:
    """Used by one thread only, which lives as long as the agent: the child dies with it.

    Attributes:
        leader: The process, by which all that it starts is known.
        peak_bytes: The most memory that it held at any time; known when it has ended.
        left: Processes that were killed and did not go away.
    """

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
        self._buffered = b""
        self.peak_bytes = 0
        self.left: frozenset[int] = frozenset()
        self._is_deaf = self._is_ended = False
        self._process, self._commands, self._reports = start_process(launch)
        self.pgid = self._process.pid
        self._pidfd = os.pidfd_open(self.pgid)
        self.leader = Leader(self.pgid, start_time(self.pgid), launch.marker)
        self._family = Family(self.leader)
        try:
            groups.add(self.pgid, self.leader.start_time, self.leader.marker)
        except BaseException:
            self.kill()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return not self._is_ended and exit_code(self.pgid) is None

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
            OverMemoryError: It took more memory than it may.
        """
        unsent = memoryview(_encode(command))
        is_told = is_asked = False
        watch, memory = Watch(limits, self._clock), self._watch_memory(limits)

        def hear(report: Report) -> None:
            watch.hear(report)
            on_report(report)

        while True:
            _cut_short(stopper, watch)
            deadline_s = stopper.deadline_s
            if not is_asked and not unsent and stopper.is_hook_asked:
                unsent, is_asked = self._send(memoryview(_STOP)), True
            if deadline_s is not None and not is_told:
                self._terminate(deadline_s)
                is_told = True
            if deadline_s is not None and self._is_over(deadline_s):
                raise StoppedError(stopper.overrun)
            ends_s = _first(watch.ends_s, stopper.late_s) if deadline_s is None else deadline_s
            if memory is not None and deadline_s is None and not watch.has_returned:
                ends_s = _look_at(memory, ends_s)
            unsent = self._turn(unsent, stopper, ends_s)
            answer = self._read_reports(hear)
            if is_told:
                if answer is not None:
                    unsent = memoryview(_END)  # it took no notice of TERM, but has ended its work
                continue
            if answer is not None:
                return answer
            code = exit_code(self.pgid)
            if code is not None:
                raise ChildEndedError(code)

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
            os.write(self._commands, _END)
            poll.poll(END_GRACE_S * 1000)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once; the second time nothing happens."""
        if self._is_ended:
            return
        self._is_ended = True
        leader = self.leader
        self.left = end_group(leader.pgid, leader.start_time, leader.marker, self._clock)
        for descriptor in (self._commands, self._reports, self._pidfd):
            os.close(descriptor)
        if not self.left:  # else it stays remembered, also over a crash of the agent
            self.forget()

    def forget(self) -> None:
        """Let go of the group's number: nobody of it is left."""
        self.peak_bytes = reap(self._process)
        # A row that a full disk keeps is looked at by the next start, which finds nothing to end.
        with suppress(StoreUnavailableError):
            self._groups.remove(self.pgid)

    def _watch_memory(self, limits: Limits) -> MemoryWatch | None:
        if limits.memory_bytes is None:
            return None
        return MemoryWatch(limits.memory_bytes, self._family, self._clock)

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
        return self._send(unsent) if self._commands in ready else unsent

    def _send(self, unsent: memoryview) -> memoryview:
        """Send what the pipe takes; gives what is still to send."""
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
                os.killpg(self.pgid, signal.SIGCONT)  # who was stopped could not heed it

    def _is_over(self, deadline_s: float) -> bool:
        """Whether a stop needs no more waiting."""
        return self._clock.monotonic() >= deadline_s or is_group_empty(self.pgid)


def _cut_short(stopper: Stopper, watch: Watch) -> None:
    """Cancel a step that went over a limit, or over the time that a stop gives it."""
    if stopper.deadline_s is not None:
        return
    if watch.overrun is not None:
        stopper.ask(CANCEL_GRACE_S, watch.overrun)
    elif stopper.is_late:
        log.warning("the running step did not end in time: cancelled")
        stopper.ask(CANCEL_GRACE_S)


def _first(*times_s: float | None) -> float | None:
    """The earliest of several times; None when there is none."""
    return min((time_s for time_s in times_s if time_s is not None), default=None)


def _look_at(memory: MemoryWatch, ends_s: float | None) -> float:
    """Take a sample when one is due; gives when to turn next, at the latest."""
    excess = memory.look()
    if excess is not None:
        raise OverMemoryError(excess)
    return memory.due_s if ends_s is None else min(ends_s, memory.due_s)


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
