"""One running experiment on the board, and for whom its job is kept."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

Place = tuple[int, str, int]
"""Sorts jobs: priority, since when it is available, which was made first."""


@dataclass(frozen=True)
class Reserve:
    """For whom a job is kept.

    Attributes:
        tags: An agent must have all of them.
        trained: Agents that hold a checkpoint of this very loop, and may go on with it.
        partial: Agents that hold what an interrupted train of this loop saved.
        earlier: Agents that hold the checkpoint that train starts from.
        stores: Shared stores on which one of these checkpoints lies.
        opens_at: From then on any agent may have it, by the monotonic clock; None never.
    """

    tags: frozenset[str]
    trained: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    opens_at: float | None = float("-inf")


@dataclass(slots=True, eq=False)
class Entry:
    """A running experiment, and its loop that is not done; none while its selection is owed."""

    experiment_id: str
    name: str
    pipeline: str
    priority: int
    pool_size: int
    job_id: str | None
    state: str | None
    agent_id: str | None
    place: Place
    reserve: Reserve | None = None

    @classmethod
    def of(cls, row: RowMapping | dict[str, Any]) -> "Entry":
        """An entry from what the tables say.

        Args:
            row: Of the query above.
        """
        place = (row["priority"], row["available_at"] or "", row["position"] or 0)
        return cls(
            row["experiment_id"], row["name"], row["pipeline"], row["priority"], row["pool_size"],
            row["job_id"], row["state"], row["agent_id"], place,
        )  # fmt: skip

    @property
    def is_available(self) -> bool:
        """Whether its job can be claimed."""
        return self.state == "available"

    @property
    def is_held(self) -> bool:
        """Whether an agent has its job in hand."""
        return self.state in ("claimed", "running")

    def fits(self, size: int | None) -> bool:
        """Whether an agent has the whole pool; with fewer samples it would refuse the job.

        Args:
            size: How many the agent has; None leaves it to the experiment.
        """
        return size is None or self.pool_size <= size
