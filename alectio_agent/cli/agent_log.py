"""What hooks printed, from the agent itself: for members of its group, who may open no file."""

import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

import click

from alectio_agent.agent.journal.job_logs import JobLog
from alectio_agent.agent.service.control.client import reach
from alectio_agent.agent.service.control.protocol import (
    MOST_ANSWER_BYTES,
    Request,
    read_answer,
)
from alectio_agent.cli.job_name import NamedJob
from alectio_agent.cli.log_tail import Tail, shown_line
from alectio_agent.cli.logs import follow
from alectio_agent.cli.options import Common
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import Clock, SystemClock
from alectio_agent.core.errors import ControlDeniedError, ControlError, UsageError

TURN_S = 0.5


class HandedFile:
    """A file that the agent opened for this process."""

    def __init__(self, descriptor: int) -> None:
        """Take it.

        Args:
            descriptor: Is closed with this object.
        """
        self._descriptor = descriptor

    def open(self, _mode: Literal["rb"], /) -> BinaryIO:
        """Another view of the same file; its place is that of the last one."""
        return os.fdopen(os.dup(self._descriptor), "rb", buffering=0)

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


class AgentLog:
    """A step object: one turn asks the agent which log is meant by now, and shows what is new."""

    def __init__(self, folder: Path, request: Request, common: Common, lines: int | None) -> None:
        """Start before the first line.

        Args:
            folder: State folder of the agent.
            request: Which log.
            common: Whether as JSON.
            lines: Only so many of the last lines of the first log.
        """
        self._folder, self._request, self._common = folder, request, common
        self._lines = lines
        self._clock: Clock = SystemClock()
        self._shown: JobLog | None = None
        self._file: HandedFile | None = None
        self._tail: Tail | None = None

    def step(self) -> float:
        """Show what is new; while the agent starts again, nothing is.

        Returns:
            Seconds to wait before the next turn.
        """
        with suppress(UsageError, ControlError):
            self.look()
        return TURN_S

    def look(self) -> None:
        """Show what is new.

        Raises:
            UsageError: There is no such log.
            ControlError: The agent does not answer.
        """
        log, file = ask_for_log(self._folder, self._request, self._clock)
        if log == self._shown:
            file.close()
        else:
            self.finish()
            lines = self._lines if self._shown is None else None
            self._shown, self._file, self._tail = log, file, Tail(file, lines)
        self._show_new()

    def finish(self) -> None:
        """Show a line that was begun and not ended."""
        self._show_new()
        if self._tail is not None and (rest := self._tail.rest()):
            self._show(rest)
        if self._file is not None:
            self._file.close()
        self._file = self._tail = None

    def _show_new(self) -> None:
        for line in self._tail.lines() if self._tail is not None else ():
            self._show(line)

    def _show(self, line: str) -> None:
        assert self._shown is not None  # noqa: S101 - a line is of a log
        if self._common.as_json:
            told = {"job": self._shown.job, "attempt": self._shown.attempt, "line": line}
            click.echo(json.dumps(told))
        else:
            click.echo(shown_line(line))


def show_agent_log(
    settings: AgentFile,
    common: Common,
    job: NamedJob | None,
    attempt: int | None,
    lines: int | None,
    *,
    is_following: bool,
) -> None:
    """Print a log, and follow it until Ctrl-C.

    Args:
        settings: The agent's.
        common: The options of every command.
        job: What was named.
        attempt: Whose log; None for the newest.
        lines: Only so many of the last lines.
        is_following: Go on until Ctrl-C.

    Raises:
        UsageError: There is no such log.
        ControlError: The agent does not answer, or this user may not ask.
    """
    request = Request(verb="log", job=None if job is None else str(job), attempt=attempt)
    log = AgentLog(settings.agent.state_dir, request, common, lines)
    log.look()
    if is_following:
        follow(log, SystemClock())
    else:
        log.finish()


def ask_for_log(folder: Path, request: Request, clock: Clock) -> tuple[JobLog, HandedFile]:
    """Ask the agent for a log.

    Args:
        folder: State folder of the agent.
        request: Which log.
        clock: For waiting until an agent that starts answers.

    Returns:
        Which one it is, and the open file.

    Raises:
        UsageError: There is no such log.
        ControlError: The agent does not answer, or this user may not ask.
    """
    connection = reach(folder, clock)
    if connection is None:
        raise ControlDeniedError(
            f"{folder}: no agent answers, and this user may not look into its state folder",
            hint="Run the command as the user that the agent runs as.",
        )
    with connection:
        line, given = _ask(connection, request, folder)
    told = read_answer(line)
    if not given:
        raise ControlError("the agent handed no file over", hint="Try again in a moment.")
    return JobLog(told["experiment"], told["loop"], told["attempt"]), HandedFile(given[0])


def _ask(connection: socket.socket, request: Request, folder: Path) -> tuple[bytes, list[int]]:
    received, given = bytearray(), list[int]()
    try:
        with suppress(BrokenPipeError):  # it refused already, and has said why
            connection.sendall(request.line())
        while b"\n" not in received and len(received) < MOST_ANSWER_BYTES:
            data, handed, _, _ = socket.recv_fds(connection, 65536, 1)
            given += handed
            if not data:
                break
            received += data
    except OSError as error:
        raise ControlError(
            f"the agent in {folder} does not answer: {error.strerror or error}"
        ) from error
    return bytes(received.partition(b"\n")[0]), given
