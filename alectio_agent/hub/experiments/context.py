"""What the functions of this room share besides the transaction."""

from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.clock import timestamp
from alectio_agent.hub.experiments.awake import AwakeClock
from alectio_agent.hub.experiments.board import Board
from alectio_agent.hub.experiments.contacts import Contacts
from alectio_agent.hub.experiments.due import Due
from alectio_agent.hub.experiments.leases import Leases
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.polls import Polls
from alectio_agent.hub.experiments.roll import Roll
from alectio_agent.hub.experiments.supply import Supplies
from alectio_agent.hub.experiments.turns import Turns


@dataclass(frozen=True)
class Context:
    """Time, memory and folders.

    Attributes:
        clock: Its monotonic time is what this process was awake for.
        parts: Folder of part files, one folder per job.
        results: Folder of results files, one folder per experiment.
        logs: Folder of what hooks printed, one folder per job.
        names: Files of record names.
        roll: Agents, in memory.
        board: What can be claimed, in memory.
        polls: Those who wait for a job.
        supplies: What agents offer, in memory.
        turns: In which order jobs are available.
    """

    clock: AwakeClock
    contacts: Contacts
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
    turns: Turns

    def now(self) -> str:
        """The current time as the tables write it."""
        return timestamp(self.clock.now())
