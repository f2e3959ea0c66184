"""What the agents that are there offer: read once for all of them, not for each experiment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Row, select

from alectio_agent.hub.experiments.contacts import Contacts
from alectio_agent.hub.store.tables import agents, offers
from alectio_agent.hub.store.transactions import after_commit

_OFFERED = (
    select(offers)
    .join(agents, agents.c.agent_id == offers.c.agent_id)
    .order_by(agents.c.registered_at, agents.c.agent_id)
)


@dataclass
class Supply:
    """One pipeline.

    Attributes:
        first: Samples of the agent that registered first, of those that say how many they have.
        most: Samples of the agent with the most of them.
        digests: Of the samples' names, by how many they are.
    """

    first: int | None = None
    most: int | None = None
    digests: dict[int | None, str | None] = field(default_factory=dict)

    def add(self, offer: Row[Any]) -> None:
        """Count an agent's offer in.

        Args:
            offer: Row of the table of offers.
        """
        self.digests[offer.state_size] = offer.state_digest
        size = offered_size(offer)
        if size is not None:
            self.first = size if self.first is None else self.first
            self.most = size if self.most is None else max(size, self.most)


class Supplies:
    """All pipelines; safe to use from any thread."""

    def __init__(self, contacts: Contacts) -> None:
        """Start unread.

        Args:
            contacts: Who called.
        """
        self._contacts = contacts
        self._lock = Lock()
        self._changes = 0
        self._kept: tuple[tuple[int, int], Mapping[str, Supply]] | None = None

    def change(self) -> None:
        """An agent's offers are being written: read them again."""
        with self._lock:
            self._changes += 1

    def read(self, tx: Connection) -> Mapping[str, Supply]:
        """What agents offer that called this process.

        Others are left out: what they registered, perhaps months ago, may no longer be so.

        Args:
            tx: A writing transaction: what it reads may not be committed yet.

        Returns:
            By the names of pipelines, in their order.
        """
        with self._lock:
            state, kept = (self._changes, len(self._contacts)), self._kept
        if kept is not None and kept[0] == state:
            return kept[1]
        found: dict[str, Supply] = {}
        for row in tx.execute(_OFFERED):
            if self._contacts.has_called(row.agent_id):
                found.setdefault(row.pipeline, Supply()).add(row)
        sorted_by_name = dict(sorted(found.items()))
        after_commit(tx, partial(self._keep, state, sorted_by_name))
        return sorted_by_name

    def _keep(self, state: tuple[int, int], found: Mapping[str, Supply]) -> None:
        with self._lock:
            self._kept = (state, found)


def offered_size(offer: Row[Any]) -> int | None:
    """How many samples an agent has for a pipeline.

    Args:
        offer: Row of the table of offers.

    Returns:
        None when it leaves that to the experiment.
    """
    size: int | None = offer.state_size if offer.pool_size is None else offer.pool_size
    return size
