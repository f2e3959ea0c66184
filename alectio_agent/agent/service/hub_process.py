"""The hub in the box: a child process on a socket that this process owns."""

import json
import logging
import os
import select
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.errors import ConfigError, PlatformUnavailableError, StoreBusyError
from alectio_agent.core.hub_packages import hub_wish
from alectio_agent.core.ids import new_token
from alectio_agent.core.listening import backlog

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PORT = 8642
START_S = 30.0
STOP_S = 60.0
LOOK_S = 0.5
RESTART_S = 1.0


@dataclass(frozen=True)
class HubTokens:
    """Bearer tokens that the hub takes as long as its process lives."""

    agent: str
    operator: str


class HubProcess:
    """Starts the hub, restarts it on the same socket when it dies, stops it last.

    A step object: one turn looks whether the child lives.
    """

    def __init__(self, data: Path, results: Path, log_format: str = "text") -> None:
        """Bind the socket: 127.0.0.1:8642, or a free port when that is taken.

        Args:
            data: The hub's folder.
            results: Where results files go.
            log_format: Of what it writes to stderr, as in `logging.format`.
        """
        self._data = data
        self._results = results
        self._log_format = log_format
        self._socket = _bind()
        self.tokens = HubTokens(new_token(), new_token())
        self._child: subprocess.Popen[bytes] | None = None
        self._life_line = -1
        self._lock = threading.RLock()
        self.is_stopping = False
        self.wake = threading.Event()

    @property
    def url(self) -> str:
        """Where the hub answers."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Start the child and wait until it serves.

        Raises:
            StoreBusyError: Another hub works in the folder.
            PlatformUnavailableError: It ended, or did not serve in time; its own message stands
                on stderr.
        """
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        pipe_read, self._life_line = os.pipe()
        ready_read, ready_write = os.pipe()
        self._child = self._spawn(pipe_read, ready_write)
        os.close(pipe_read)
        os.close(ready_write)
        tokens = {"agent_token": self.tokens.agent, "operator_token": self.tokens.operator}
        try:
            with suppress(BrokenPipeError):  # it ended at once: its exit code says why
                os.write(self._life_line, json.dumps(tokens).encode() + b"\n")
            self._wait_until_ready(ready_read)
        finally:
            os.close(ready_read)

    def step(self) -> float:
        """Restart the hub when it died.

        Returns:
            Seconds until the next look.
        """
        with self._lock:
            return self._look()

    def _look(self) -> float:
        if self.is_stopping or self._child is None:
            return LOOK_S
        code = self._child.poll()
        if code is None:
            return LOOK_S
        log.warning("the hub ended (%s); starting it again", _ending(code))
        os.close(self._life_line)
        try:
            self.start()
        except (PlatformUnavailableError, StoreBusyError) as error:
            log.error("%s", error)  # noqa: TRY400 - its text says it all
            return RESTART_S
        return LOOK_S

    def stop(self) -> None:
        """Let the hub finish what it owes, and wait until it has ended."""
        with self._lock:
            self.is_stopping = True
            if self._child is not None:
                self._end(self._child)
            self._socket.close()

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        if self._life_line >= 0:
            os.close(self._life_line)
            self._life_line = -1
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            log.warning("the hub did not stop in %d s: killed", STOP_S)
            child.kill()
            child.wait()

    def _spawn(self, pipe_read: int, ready_write: int) -> subprocess.Popen[bytes]:
        listening = self._socket.fileno()
        command = [
            sys.executable, "-P", "-m", "alectio_agent", "hub", "embedded",
            "--data", str(self._data), "--results", str(self._results),
            "--socket-fd", str(listening), "--pipe-fd", str(pipe_read),
            "--ready-fd", str(ready_write), "--log-format", self._log_format,
        ]  # fmt: skip
        return subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=(listening, pipe_read, ready_write),
            start_new_session=True,
        )

    def _wait_until_ready(self, ready_read: int) -> None:
        readable, _, _ = select.select([ready_read], [], [], START_S)
        if readable and os.read(ready_read, 65536):
            return
        assert self._child is not None  # noqa: S101 - start() made it
        if not readable:
            self._child.kill()
        code = self._child.wait()
        if code == StoreBusyError.exit_code:
            raise StoreBusyError(
                f"{self._data}: another hub works in this folder",
                hint="Stop the other `run` or `hub serve` first, or give this one another "
                "agent.state_dir.",
            )
        # What lacks packages now lacks them at the next start too: no service manager need try.
        kind = ConfigError if code == ConfigError.exit_code else PlatformUnavailableError
        raise kind(
            f"the hub in the box did not start ({_ending(code)}); its own message stands above",
            hint=f"Is it installed? {hub_wish()}",
            code="E-HUB-02",
        )


def _bind() -> socket.socket:
    """A listening socket on loopback, at the usual port or any free one."""
    for port in (PORT, 0):
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, port))
            bound.listen(backlog())
        except OSError:
            bound.close()
        else:
            return bound
    raise PlatformUnavailableError(
        f"no free port on {HOST} for the hub in the box",
        hint="Stop what holds them, and try again.",
        code="E-HUB-02",
    )


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
