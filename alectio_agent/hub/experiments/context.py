"""What the functions of this room share besides the transaction."""

from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.hub.experiments.board import Board
from alectio_agent.hub.experiments.due import Due
from alectio_agent.hub.experiments.leases import Leases
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.polls import Polls
from alectio_agent.hub.experiments.roll import Roll
from alectio_agent.hub.experiments.supply import Supplies


@dataclass(frozen=True)
class Context:
    """Time, memory and folders.

    Attributes:
        parts: Folder of part files, one folder per job.
        results: Folder of results files, one folder per experiment.
        logs: Folder of what hooks printed, one folder per job.
        names: Files of record names.
        roll: Agents, in memory.
        board: What can be claimed, in memory.
        polls: Those who wait for a job.
        supplies: What agents offer, in memory.
    """

    clock: Clock
    leases: Leases
    due: Due
    parts: Path
    results: Path
    logs: Path
    names: NameFiles
    roll: Roll
    board: Board
    polls: Polls
    supplies: Supplies

    def now(self) -> str:
        """The current time as the tables write it."""
        return timestamp(self.clock.now())

    def fine_now(self) -> str:
        """The same to the microsecond: jobs become available in this order."""
        return timestamp(self.clock.now(), is_fine=True)
