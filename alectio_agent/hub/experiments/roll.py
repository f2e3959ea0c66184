"""The roll: what this process knows of each agent without asking the tables.

It is read from the tables once, and changes after the commits that change them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, select

from alectio_agent.hub.store.tables import REMOVED, agents, offers
from alectio_agent.wire.claims import ClaimRequest

Offered = tuple[str, int | None, str | None]
"""Pipeline, how many samples the agent has for it, its shared store of checkpoints."""

Said = frozenset[tuple[object, ...]]
"""All that an agent offers, as far as it decides which experiments can start."""


@dataclass(frozen=True)
class Kind:
    """All that decides which jobs an agent may run, besides the checkpoints that it holds.

    Attributes:
        slots: How many jobs it runs at once.
    """

    tags: frozenset[str]
    offers: tuple[Offered, ...]
    slots: int = 1

    @property
    def pipelines(self) -> list[str]:
        """All that the agent can run."""
        return [name for name, _, _ in self.offers]

    def size_of(self, pipeline: str) -> int | None:
        """Samples that the agent has; None when it leaves that to the experiment.

        Args:
            pipeline: Any.
        """
        return next((size for name, size, _ in self.offers if name == pipeline), None)

    def store_of(self, pipeline: str) -> str | None:
        """The shared store of checkpoints; None for the agent's own disk.

        Args:
            pipeline: Any.
        """
        return next((store for name, _, store in self.offers if name == pipeline), None)


@dataclass(frozen=True)
class Unheard:
    """Experiments to compare with what an agent offers.

    Attributes:
        mark: Of the roll when it was asked.
        is_all: All of them.
        changed: Ids of those that changed.
    """

    mark: int
    is_all: bool
    changed: frozenset[str]


MOST_EARLIER = 8


@dataclass
class Enrolled:
    """One agent.

    Attributes:
        last_seq: Of its newest claim, as `last_lease`.
        has_registered: It registered at this process, and so has told what it holds.
        earlier: Its lives before this one that this process knows of, the newest ones.
    """

    boot_id: str
    last_seq: int
    last_lease: str | None
    kind: Kind
    has_registered: bool = False
    earlier: tuple[str, ...] = ()


class Roll:
    """All agents that ever registered; safe to use from any thread."""

    def __init__(self) -> None:
        """Start empty, until it is read."""
        self._lock = Lock()
        self._is_read = False
        self._known: dict[str, Enrolled] = {}
        self._said: dict[str, Said] = {}
        self._touched: set[str] = set()
        self._forgotten, self._heard = 0, -1
        self._offers: Counter[tuple[object, ...]] = Counter()

    def read(self, tx: Connection) -> None:
        """Read the tables, the first time that this is called.

        Args:
            tx: A writing transaction, so that nothing is committed beside it.
        """
        if self._is_read:
            return
        offered: dict[str, list[Offered]] = defaultdict(list)
        for row in tx.execute(select(offers).order_by(offers.c.pipeline)):
            size = row.state_size if row.pool_size is None else row.pool_size
            offered[row.agent_id].append((row.pipeline, size, row.store))
        known = {
            row.agent_id: Enrolled(
                row.boot_id,
                row.last_seq,
                row.last_lease,
                Kind(frozenset(json.loads(row.tags)), tuple(offered[row.agent_id]), row.slots),
            )
            for row in tx.execute(select(agents).where(agents.c.boot_id != REMOVED))
        }
        with self._lock:
            # What registered in this very moment is newer than what was read.
            self._known = known | self._known
            self._is_read = True

    def enrol(self, agent_id: str, boot_id: str, kind: Kind) -> None:
        """An agent registered; in another life than before it begins to count anew.

        Args:
            agent_id: Who.
            boot_id: Of its life.
            kind: What it can run.
        """
        with self._lock:
            known = self._known.get(agent_id)
            if known is None:
                self._known[agent_id] = Enrolled(boot_id, 0, None, kind, has_registered=True)
                return
            if known.boot_id != boot_id:
                known.earlier = (*known.earlier, known.boot_id)[-MOST_EARLIER:]
                known.boot_id, known.last_seq, known.last_lease = boot_id, 0, None
            known.kind, known.has_registered = kind, True

    def forget(self, agent_id: str) -> None:
        """An agent was removed: its next call is that of an unknown one.

        Args:
            agent_id: Who.
        """
        with self._lock:
            self._known.pop(agent_id, None)
            self._offers.subtract(self._said.pop(agent_id, ()))

    def note_claim(self, agent_id: str, seq: int, lease: str) -> None:
        """An agent was given a job.

        Args:
            agent_id: Who.
            seq: Of its poll.
            lease: Of the job.
        """
        with self._lock:
            known = self._known.get(agent_id)
            if known is not None:
                known.last_seq, known.last_lease = seq, lease

    def kind_of(self, agent_id: str) -> Kind | None:
        """What an agent can run; None for one that is not known.

        Args:
            agent_id: Who.
        """
        with self._lock:
            known = self._known.get(agent_id)
            return None if known is None else known.kind

    def is_outlived(self, agent_id: str, boot_id: str) -> bool:
        """Whether another life of an agent is the newest that is known.

        Args:
            agent_id: Who.
            boot_id: Of the life that asks.
        """
        with self._lock:
            known = self._known.get(agent_id)
            return known is not None and known.boot_id != boot_id

    def is_earlier(self, agent_id: str, boot_id: str) -> bool:
        """Whether a life of an agent is known to have ended.

        Args:
            agent_id: Who.
            boot_id: Of the life.
        """
        with self._lock:
            known = self._known.get(agent_id)
            return known is not None and boot_id in known.earlier

    def has_registered(self, agent_id: str) -> bool:
        """Whether an agent has told this process what it holds.

        Args:
            agent_id: Who.
        """
        with self._lock:
            known = self._known.get(agent_id)
            return known is not None and known.has_registered

    def is_plain(self, request: ClaimRequest) -> bool:
        """Whether a poll asks for a new job and says nothing else, so that it need not be written.

        Args:
            request: The poll.

        Returns:
            False for everything that the tables must be asked about: agents that are unknown or
            were not heard yet, other lives, older numbers, repeated ones, refused claims.
        """
        with self._lock:
            known = self._known.get(request.agent_id)
            return (
                known is not None
                and request.agent_id in self._said
                and known.boot_id == request.boot
                and request.refused is None
                and request.seq > known.last_seq
            )

    def touch(self, changed: Iterable[str]) -> None:
        """Experiments changed: the next agent that calls for the first time is compared with them.

        Args:
            changed: Their ids.
        """
        with self._lock:
            self._touched.update(changed)

    def unheard(self, agent_id: str, offered: Said) -> Unheard:
        """Which experiments that wait have not been compared with what an agent offers now.

        Thousands of agents alike need not be compared with all experiments one by one.

        Args:
            agent_id: Who called for the first time, or registered.
            offered: Pipelines, samples and digests.

        Returns:
            All, when no other agent offers the same, or this one offered something else before;
            else what changed since the last agent was compared.
        """
        with self._lock:
            before = self._said.get(agent_id, offered)
            is_same = before == offered and all(self._offers[entry] for entry in offered)
            is_heard = self._heard == self._forgotten
            return Unheard(self._forgotten, not (is_same and is_heard), frozenset(self._touched))

    def is_heard(self, agent_id: str) -> bool:
        """Whether experiments were compared with what an agent offers.

        Args:
            agent_id: Who.
        """
        with self._lock:
            return agent_id in self._said

    def hear(self, agent_id: str, offered: Said, compared: Unheard) -> None:
        """What an agent offers was compared with experiments.

        Args:
            agent_id: Who.
            offered: As in `unheard`.
            compared: With which.
        """
        with self._lock:
            self._heard = max(self._heard, compared.mark)
            self._touched -= compared.changed
            self._offers.subtract(self._said.get(agent_id, ()))
            self._offers.update(offered)
            self._said[agent_id] = offered

    def forget_offers(self) -> None:
        """The next agent that calls for the first time is compared with all experiments."""
        with self._lock:
            self._forgotten += 1
