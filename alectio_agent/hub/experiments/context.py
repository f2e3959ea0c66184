"""What the functions of this room share besides the transaction."""

from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.hub.experiments.due import Due
from alectio_agent.hub.experiments.leases import Leases


@dataclass(frozen=True)
class Context:
    """Time, memory and folders.

    Attributes:
        parts: Folder of part files, one folder per job.
        results: Folder of results files, one folder per experiment.
        logs: Folder of what hooks printed, one folder per job.
    """

    clock: Clock
    leases: Leases
    due: Due
    parts: Path
    results: Path
    logs: Path

    def now(self) -> str:
        """The current time as the tables write it."""
        return timestamp(self.clock.now())
