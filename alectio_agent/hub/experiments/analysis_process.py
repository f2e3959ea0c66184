"""The analysis process: strategies and metrics, in an interpreter of their own."""

import json
import logging
import subprocess
import sys
from threading import Lock
from typing import Any, Protocol

from alectio_agent.core.errors import StrategyError
from alectio_agent.wire.strict_json import dumps

log = logging.getLogger(__name__)

# -P: a secrets.py or random.py in the folder that this was started from is somebody's own.
COMMAND = (sys.executable, "-P", "-m", "alectio_agent.analysis.worker")
END_S = 5.0


class AnalysisError(StrategyError):
    """The analysis process answered that the request cannot be done."""


class AnalysisEndedError(StrategyError):
    """The analysis process ended instead of answering."""


class Analysis(Protocol):
    """Answers requests about arrays; see `alectio_agent.analysis.worker`."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request; AnalysisError or AnalysisEndedError when there is no answer."""


class AnalysisProcess:
    """Starts the process when it is first asked, and again after it died."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        """Start nothing yet.

        Args:
            command: Reads a request a line, writes an answer a line, until its input ends.
        """
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
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

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Have a request answered; by one thread at a time.

        Args:
            request: Plain JSON.

        Returns:
            The answer.

        Raises:
            AnalysisError: It cannot be done; the message says why.
            AnalysisEndedError: The process ended; the next call starts another.
        """
        self.start()
        line = self._exchange(dumps(request).encode() + b"\n")
        try:
            answer = json.loads(line, parse_constant=_refuse_constant)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise AnalysisEndedError(f"the analysis process ended ({self._end()})")
        if "error" in answer:
            raise AnalysisError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the process; whoever waits for an answer hears that it ended."""
        with self._lock:
            self._is_closed = True
        self._end()

    def _exchange(self, line: bytes) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return b""
        try:
            process.stdin.write(line)
            process.stdin.flush()
            return process.stdout.readline()
        except (OSError, ValueError):
            return b""  # it ended, or was closed by another thread

    def _end(self) -> str:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return "it was closed"
        for pipe in (process.stdin, process.stdout):
            _close(pipe)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return f"exit code {process.returncode}"


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        log.debug("a pipe to the analysis process was broken")


def _refuse_constant(name: str) -> float:
    raise AnalysisError(f"the analysis process answered {name}, which is no number")
