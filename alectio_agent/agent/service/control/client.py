"""The command line's side of `control.sock`."""

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alectio_agent.agent.journal.disk import is_at_work
from alectio_agent.agent.service.control.access import Peer
from alectio_agent.agent.service.control.address import SOCKET, connect
from alectio_agent.agent.service.control.protocol import (
    MOST_ANSWER_BYTES,
    Request,
    read_answer,
)
from alectio_agent.agent.service.control.server import denied
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import ControlError

ANSWER_S = 30.0
START_S = 20.0
"""An agent that starts holds its folder before it answers; its hooks are loaded meanwhile."""
RESTART_S = 600.0
"""A new start loads all hooks; one that fails is seen at once where its process can be watched."""
LOOK_S = 0.05
END_S = 5.0
"""After an agent's last connection has ended, its process is over in no time."""


class Call:
    """An open connection to an agent that has answered."""

    def __init__(self, connection: socket.socket, answer: dict[str, Any]) -> None:
        """Keep both.

        Args:
            connection: Ends with the agent's process when the request said `wait`.
            answer: Of the agent.
        """
        self.answer = answer
        self._connection = connection
        self._process = _watch(Peer.of(connection).pid)

    def wait_for_end(self) -> None:
        """Return when the agent's process has ended, or has become another program."""
        self._connection.settimeout(None)
        with suppress(OSError):
            while self._connection.recv(1024):
                pass

    def wait_for_exit(self) -> None:
        """The same, when it ends and does not start again."""
        self.wait_for_end()
        if self._process is not None:
            select.select([self._process], [], [], END_S)

    @property
    def has_exited(self) -> bool:
        """Whether the process has ended; False when that cannot be told."""
        return self._process is not None and bool(select.select([self._process], [], [], 0)[0])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
        if self._process is not None:
            os.close(self._process)


@contextmanager
def call(
    folder: Path, request: Request, clock: Clock, patience_s: float = START_S
) -> Iterator[Call | None]:
    """Ask the agent that works in a state folder.

    Args:
        folder: Its state folder.
        request: What to ask.
        clock: For waiting until an agent that starts answers.
        patience_s: How long one that holds the folder may say nothing.

    Yields:
        The call, answered; None when no agent runs there.

    Raises:
        ControlError: It does not answer, or this user may not steer it.
        AlectioAgentError: What the agent refused with.
    """
    connection = reach(folder, clock, patience_s)
    if connection is None:
        yield None
        return
    with connection:
        made = Call(connection, _ask(connection, request, folder))
        try:
            yield made
        finally:
            made.close()


def answer_after_restart(folder: Path, made: Call, clock: Clock) -> dict[str, Any]:
    """Wait until an agent that was asked to start again has done so.

    Args:
        folder: Its state folder.
        made: The call that asked, with `wait`.
        clock: For waiting.

    Returns:
        What it says of itself then.

    Raises:
        ControlError: It ended, and did not come back.
    """
    made.wait_for_end()
    until_s, never = clock.monotonic() + RESTART_S, threading.Event()
    while not made.has_exited and clock.monotonic() < until_s:
        with suppress(ControlError), call(folder, Request(verb="state"), clock) as again:
            if again is not None and again.answer["boot"] != made.answer["boot"]:
                return again.answer
        clock.wait(never, LOOK_S)
    raise ControlError(
        f"the agent in {folder} ended, and does not work again",
        hint="Its log says why. Start it: alectio-agent run",
    )


def reach(folder: Path, clock: Clock, patience_s: float = START_S) -> socket.socket | None:
    """Connect; an agent that has just begun is waited for.

    Args:
        folder: Its state folder.
        clock: For waiting.
        patience_s: How long an agent that holds the folder may say nothing.

    Returns:
        A connection; None when no agent runs there.

    Raises:
        ControlError: It says nothing for too long, or this user may not connect.
    """
    until_s = clock.monotonic() + patience_s
    never = threading.Event()
    while True:
        try:
            return connect(folder, ANSWER_S)
        except PermissionError as error:
            raise denied(folder) from error
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            if not is_at_work(folder):
                return None
        except BlockingIOError:
            pass  # it has more callers than it has taken yet
        except OSError as error:
            raise _silent(folder, error.strerror or str(error)) from error
        if clock.monotonic() >= until_s:
            raise _silent(folder, f"it holds the folder, and answers nothing for {patience_s:g} s")
        clock.wait(never, LOOK_S)


def _ask(connection: socket.socket, request: Request, folder: Path) -> dict[str, Any]:
    received = bytearray()
    try:
        connection.sendall(request.line())
    except BrokenPipeError:
        pass  # it refused already, and has said why
    except OSError as error:
        raise _silent(folder, error.strerror or str(error)) from error
    try:
        while b"\n" not in received and len(received) < MOST_ANSWER_BYTES:
            data = connection.recv(65536)
            if not data:
                raise _silent(folder, "it hung up")
            received += data
    except OSError as error:
        raise _silent(folder, error.strerror or str(error)) from error
    return read_answer(bytes(received.partition(b"\n")[0]))


def _watch(pid: int) -> int | None:
    """A descriptor that can be read once a process has ended; the connection keeps the pid ours."""
    if pid <= 0:
        return None  # in another namespace
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _silent(folder: Path, why: str) -> ControlError:
    return ControlError(
        f"the agent in {folder} does not answer at {SOCKET}: {why}",
        hint="Try again in a moment.",
    )
