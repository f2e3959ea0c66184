"""The analysis process: strategies and metrics, in an interpreter of their own."""

import sys
from typing import Any, Protocol

from alectio_agent.core.errors import StrategyError
from alectio_agent.hub.experiments.line_process import LineProcess

# -P: a secrets.py or random.py in the folder that this was started from is somebody's own.
COMMAND = (sys.executable, "-P", "-m", "alectio_agent.analysis.worker")


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
        self._lines = LineProcess("the analysis process", command)

    def start(self) -> None:
        """Start the process, so that it loads its libraries before it is asked."""
        self._lines.start()

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
        answer = self._lines.ask(request)
        if answer is None:
            raise AnalysisEndedError(f"the analysis process ended ({self._lines.end()})")
        if "error" in answer:
            raise AnalysisError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the process; whoever waits for an answer hears that it ended."""
        self._lines.close()
