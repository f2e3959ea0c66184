"""What is known of a peer: how its worker is started, and how a user gives it work."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from benchmarks.processes import running


@dataclass(frozen=True)
class Peer:
    """A queue or server with the same trivial job as all others.

    Attributes:
        name: As shown beside its figures.
        folder: Its worker works there; holds the modules that it loads.
        command: Starts the worker.
        send: Gives it one job, as a user would.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    send: Callable[[], object]

    def working(self) -> AbstractContextManager["Popen[bytes]"]:
        """Its worker, until the end of the block."""
        return running(self.command, self.folder, "worker.log")
