"""A process of the hub's own that answers a line of JSON with a line of JSON."""

import json
import logging
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

from alectio_agent.wire.strict_json import dumps

log = logging.getLogger(__name__)

END_S = 5.0


class LineProcess:
    """Starts the process when it is first asked, and again after it died."""

    def __init__(self, what: str, command: Sequence[str], niceness: int = 0) -> None:
        """Start nothing yet.

        Args:
            what: It is, for messages.
            command: Reads a request a line, writes an answer a line, until its input ends.
            niceness: Above 0, everybody else goes first.
        """
        self._what = what
        self._command = command
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._is_waiting = False
        self._lock = Lock()

    def start(self) -> None:
        """Start the process, so that it loads its libraries before it is asked."""
        with self._lock:
            if self._process is None and not self._is_closed:
                # A session of its own: Ctrl-C at `hub serve` must not reach it; the end of its
                # input ends it, however this process ends.
                self._process = subprocess.Popen(  # noqa: S603 - our own module
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    start_new_session=True,
                )
                if self._niceness:
                    with suppress(OSError):  # it ended already
                        os.setpriority(os.PRIO_PROCESS, self._process.pid, self._niceness)

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not ended since."""
        return self._process is not None

    @property
    def is_closed(self) -> bool:
        """Whether it was ended for good."""
        return self._is_closed

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Have a request answered; by one thread at a time.

        Args:
            request: Plain JSON.

        Returns:
            The answer, with `error` when it cannot be done. None when the process ended or said
            something else; call `end` then. The next call starts another.
        """
        self.start()
        line = self._exchange(dumps(request).encode() + b"\n")
        try:
            answer = json.loads(line, parse_constant=_refuse_constant)
        except _NoNumberError as error:
            return {"error": f"{self._what} answered {error}, which is no number"}
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None

    def end(self) -> str:
        """End the process; the next call starts another.

        Returns:
            How it ended.
        """
        with self._lock:
            process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return "it was closed"
        if self._is_waiting:
            process.kill()  # whoever asked is not waited for any more; it does not read its input
        _close(process.stdin)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # Last: a thread that waits for an answer holds it until the process has ended.
        _close(process.stdout)
        return f"exit code {process.returncode}"

    def close(self) -> None:
        """End the process for good, at once when it owes an answer: whoever waits hears of it."""
        with self._lock:
            self._is_closed = True
        self.end()

    def _exchange(self, line: bytes) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return b""
        self._is_waiting = True
        try:
            process.stdin.write(line)
            process.stdin.flush()
            return process.stdout.readline()
        except (OSError, ValueError):
            return b""  # it ended, or was closed by another thread
        finally:
            self._is_waiting = False


class _NoNumberError(Exception):
    """NaN or an infinity."""


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        log.debug("a pipe to a process was broken")


def _refuse_constant(name: str) -> float:
    raise _NoNumberError(name)
