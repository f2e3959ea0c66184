"""The agent's side of `control.sock`: one thread, which sleeps until somebody connects."""

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alectio_agent.agent.service.control.access import Peer, open_folder
from alectio_agent.agent.service.control.address import SOCKET, listen
from alectio_agent.agent.service.control.job_log import HAND_OVER
from alectio_agent.agent.service.control.protocol import (
    MOST_BYTES,
    Request,
    answer_line,
    error_line,
    read_request,
)
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import (
    AlectioAgentError,
    ControlDeniedError,
    ControlError,
    ControlWordsError,
    StoreError,
)

log = logging.getLogger(__name__)

SILENCE_S = 5.0
"""Who connects and does not ask in this time is sent away."""
MOST_CONNECTIONS = 32
QUIET = ("ping", "state", "status", "log")
"""Who only looks is not in the log."""
OWNER_ONLY = ("verdicts",)
"""Verbs that are not for the members of the control group."""
PAUSE_S = 1.0
"""After a connection that could not be taken: it would be offered again at once, and for ever."""
NO_SOCKET = "this agent cannot be steered over %s: %s. Signals still work"


@dataclass
class _Caller:
    """One connection that has not been answered yet."""

    connection: socket.socket
    peer: Peer
    until_s: float
    received: bytearray = field(default_factory=bytearray)


class ControlServer:
    """Answers whoever may steer the agent. Nobody who is slow or silent keeps others waiting."""

    def __init__(
        self,
        folder: Path,
        owner: int,
        group: int | None,
        answer: Callable[[Request], dict[str, Any]],
        clock: Clock,
        silence_s: float = SILENCE_S,
    ) -> None:
        """Prepare; nothing listens yet.

        Args:
            folder: The state folder, whose lock this process holds.
            owner: The user that the agent runs as.
            group: Members may steer as well.
            answer: Does what is asked; AlectioAgentError when it cannot be done.
            clock: For the time that a caller has.
            silence_s: How long that is.
        """
        self._folder, self._owner, self._group = folder, owner, group
        self._answer, self._clock, self._silence_s = answer, clock, silence_s
        self._listening: socket.socket | None = None
        self._callers: dict[socket.socket, _Caller] = {}
        self._kept: list[socket.socket] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Listen. Where that is not possible, the agent runs without."""
        try:
            self._listening = listen(self._folder, self._group)
        except OSError as error:
            log.warning(NO_SOCKET, self._folder / SOCKET, error.strerror or error)
            return
        if self._group is not None:
            try:
                open_folder(self._folder, self._group)
            except StoreError as error:
                log.error("%s", error)  # noqa: TRY400 - its text says it all
        self._listening.settimeout(0.0)
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        for watched in (self._listening, self._woken):
            self._selector.register(watched, selectors.EVENT_READ)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more. Who waits for the end of the process goes on waiting."""
        if self._listening is None:
            return
        self._closing.set()
        with suppress(OSError):  # its thread has ended
            self._wake.send(b".")
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._turn()
        except Exception as error:  # noqa: BLE001 - the top of a thread: the agent goes on
            log.error("control: unexpected, the agent cannot be steered any more: %r", error)  # noqa: TRY400 - so it stands in one line
        finally:
            self._end()

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience_s()):
            if key.fileobj is self._listening:
                self._accept(self._listening)
            elif isinstance(key.fileobj, socket.socket) and key.fileobj is not self._woken:
                self._hear(key.fileobj)
        now_s = self._clock.monotonic()
        for caller in [each for each in self._callers.values() if each.until_s <= now_s]:
            self._refuse(caller, ControlWordsError("no request came, or not all of one"))

    def _patience_s(self) -> float | None:
        """Until the next caller has been silent for too long; None while there is none."""
        if not self._callers:
            return None
        first_s = min(caller.until_s for caller in self._callers.values())
        return max(0.0, first_s - self._clock.monotonic())

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            return
        except OSError as error:  # such as too many open files
            log.debug("control: %s", error)
            self._clock.wait(self._closing, PAUSE_S)
            return
        connection.settimeout(0.0)
        caller = _Caller(connection, Peer.of(connection), self._clock.monotonic() + self._silence_s)
        self._callers[connection] = caller
        self._selector.register(connection, selectors.EVENT_READ)
        if not caller.peer.may_steer(self._owner, self._group):
            self._refuse(caller, denied(self._folder))
        elif len(self._callers) + len(self._kept) > MOST_CONNECTIONS:
            self._refuse(next(iter(self._callers.values())), ControlError("too many connections"))

    def _hear(self, connection: socket.socket) -> None:
        caller = self._callers.get(connection)
        if caller is None:
            self._let_go(connection)  # one that is kept says no more: it has hung up
            return
        try:
            data = connection.recv(MOST_BYTES)
        except OSError:
            data = b""
        caller.received += data
        line, is_whole, _ = caller.received.partition(b"\n")
        if is_whole and len(line) < MOST_BYTES:
            self._reply(caller, bytes(line))
        elif len(caller.received) >= MOST_BYTES:
            self._refuse(caller, ControlWordsError(f"a request ends before {MOST_BYTES} bytes"))
        elif not data:
            self._drop(caller)

    def _reply(self, caller: _Caller, line: bytes) -> None:
        try:
            request = read_request(line)
            if request.verb not in QUIET:
                log.info("control: %s, asked by %s", request.words, caller.peer.name)
            if request.verb in OWNER_ONLY and not caller.peer.may_steer(self._owner, None):
                raise denied(self._folder)
            answer = self._answer(request)
        except AlectioAgentError as error:
            self._refuse(caller, error)
            return
        file = answer.pop(HAND_OVER, None)
        _send(caller.connection, answer_line(answer), file)
        if request.wait:
            del self._callers[caller.connection]
            self._kept.append(caller.connection)
        else:
            self._drop(caller)

    def _refuse(self, caller: _Caller, error: AlectioAgentError) -> None:
        _send(caller.connection, error_line(error))
        self._drop(caller)

    def _drop(self, caller: _Caller) -> None:
        self._callers.pop(caller.connection, None)
        self._let_go(caller.connection)

    def _let_go(self, connection: socket.socket) -> None:
        if connection in self._kept:
            self._kept.remove(connection)
        with suppress(KeyError):
            self._selector.unregister(connection)
        connection.close()

    def _end(self) -> None:
        """Close everything but what is kept: the kernel ends that with the process."""
        for caller in list(self._callers.values()):
            self._drop(caller)
        for connection in self._kept:
            connection.detach()
        (self._folder / SOCKET).unlink(missing_ok=True)
        self._selector.close()
        for each in (self._listening, self._woken, self._wake):
            if each is not None:
                each.close()


def denied(folder: Path) -> ControlDeniedError:
    """What somebody is told who may not steer an agent.

    Args:
        folder: Its state folder.
    """
    return ControlDeniedError(
        f"{folder / SOCKET}: this user may not steer the agent",
        hint="Run the command as the user that the agent runs as (sudo -u USER alectio-agent ...), "
        "or as a member of the group in agent.control_group; it counts from the agent's next "
        "start on.",
    )


def _send(connection: socket.socket, line: bytes, file: Path | None = None) -> None:
    """An answer fits into the kernel's memory; who has hung up needs none."""
    with suppress(OSError):
        if file is None:
            connection.send(line)
            return
        with file.open("rb") as opened:
            socket.send_fds(connection, [line], [opened.fileno()])
