"""What is known of a peer: how its worker is started, and how a user gives it work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from benchmarks.processes import running, wait_until

START_S = 20


@dataclass(frozen=True)
class Peer:
    """A queue or server with the same trivial job as all others.

    Attributes:
        name: As shown beside its figures.
        folder: Its worker works there; holds the modules that it loads.
        command: Starts the worker.
        send: Gives it one job, as a user would.
        is_ready: Whether a job may be sent; a queue always takes one.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    send: Callable[[], object]
    is_ready: Callable[[], bool] = field(default=lambda: True)

    @contextmanager
    def working(self) -> Iterator["Popen[bytes]"]:
        """Its worker, until the end of the block."""
        with running(self.command, self.folder, "worker.log") as worker:
            wait_until(self.is_ready, START_S, self.name)
            yield worker
