"""The results process as the hub sees it: niced, started when it is needed, ended when idle."""

import sys
from pathlib import Path
from typing import Any, Protocol

from alectio_agent.core.errors import (
    AlectioAgentError,
    StoreBusyError,
    StoreError,
    StoreVersionError,
)
from alectio_agent.hub.experiments.line_process import LineProcess
from alectio_agent.hub.results.folders import Folders

NICENESS = 5
"""A third of what others get; with less, tables would wait for minutes beside a busy training."""

_KINDS = {kind.__name__: kind for kind in (StoreError, StoreBusyError, StoreVersionError)}


class ResultsError(AlectioAgentError):
    """The files of an experiment cannot be made; trying again would not help."""


class ResultsEndedError(StoreError):
    """The results process ended instead of answering."""


class ResultsClosedError(Exception):
    """The results process was ended on purpose: no error, and nothing that a person reads of."""


class Maker(Protocol):
    """Makes results files; see `alectio_agent.hub.results.maker`."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Have files made.

        Raises:
            StoreError: The database or the disk refuses.
            ResultsError: They cannot be made.
            ResultsEndedError: The process ended; the next call starts another.
            ResultsClosedError: It was closed, before or while it was asked.
        """

    def rest(self) -> None:
        """Take no memory until the next call."""


class ResultsProcess:
    """Starts the process when it is first asked, and again after it died."""

    def __init__(self, database: Path, folders: Folders) -> None:
        """Start nothing yet.

        Args:
            database: Of the hub.
            folders: Where its files lie.
        """
        # -P: a secrets.py or random.py in the folder that this was started from is somebody's own.
        module = (sys.executable, "-P", "-m", "alectio_agent.hub.results.worker")
        command = (*module, str(database), *map(str, folders.arguments))
        self._lines = LineProcess("the results process", command, NICENESS)

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Have files made; by one thread at a time; see `Maker`."""
        answer = self._lines.ask(request)
        if answer is None:
            how = self._lines.end()
            if self._lines.is_closed:
                raise ResultsClosedError("the results process was closed")
            raise ResultsEndedError(f"the results process ended ({how})")
        if "error" in answer:
            kind = _KINDS.get(str(answer.get("kind")), ResultsError)
            raise kind(str(answer["error"]))
        return answer

    def rest(self) -> None:
        """End the process; the next call starts another."""
        if self._lines.is_running:
            self._lines.end()

    def close(self) -> None:
        """End the process for good; whoever waits for an answer hears of it."""
        self._lines.close()
