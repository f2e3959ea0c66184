"""The board: all running experiments and their open jobs in memory, in the order of claiming.

It is read once, and then only what commits touched is read again: a look for jobs costs what has
changed, not what there is.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from threading import Lock
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, select

from alectio_agent.hub.experiments.entry import Entry, Place
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import experiments, jobs

MOST_ALONE = 8
"""So many experiments are quicker read one by one, with a prepared statement."""
LARGEST_READ = 500
"""Experiments that are read in one query."""

_OPEN = (
    select(
        experiments.c.experiment_id,
        experiments.c.name,
        experiments.c.pipeline,
        experiments.c.priority,
        experiments.c.pool_size,
        jobs.c.job_id,
        jobs.c.state,
        jobs.c.agent_id,
        jobs.c.available_at,
        jobs.c.position,
    )
    .join(
        jobs,
        and_(
            jobs.c.experiment_id == experiments.c.experiment_id,
            jobs.c.state != "done",
            jobs.c.state != "rewound",
        ),
        isouter=True,
    )
    .where(
        experiments.c.state == "running",
        experiments.c.is_over.is_(False),
        experiments.c.pipeline.is_not(None),
        experiments.c.pool_size.is_not(None),
    )
)
_ONE = PreparedQuery(_OPEN.where(experiments.c.experiment_id == bindparam("of")))
_TOUCHED = _OPEN.where(experiments.c.experiment_id.in_(bindparam("touched", expanding=True)))


@dataclass(slots=True)
class _Lane:
    """The experiments of one pipeline."""

    available: list[tuple[Place, Entry]] = field(default_factory=list)
    leading: list[tuple[int, str]] = field(default_factory=list)
    """Priority of those whose job waits or is about to be made: lower ones wait for them."""


class Board:
    """What can be claimed; used in the writer's thread, told of changes from any."""

    def __init__(self) -> None:
        """Start empty, until it is read."""
        self._lock = Lock()
        self._touched: set[str] = set()
        self._is_read = False
        self._entries: dict[str, Entry] = {}
        self._names: dict[str, str] = {}
        self._lanes: dict[str, _Lane] = {}
        self._own: dict[str, set[str]] = {}
        self._seen_mark = -1
        self.opens_at: float | None = None
        self.mark = 0
        """Grows with everything that may let an agent have a job that it could not have before."""

    def touch(self, changed: Iterable[str]) -> None:
        """Experiments changed: read them again before the next look.

        Args:
            changed: Their ids.
        """
        with self._lock:
            self._touched.update(changed)
            self.mark += 1

    def look_at(self, now: float) -> None:
        """See whether a job that was kept for some agents may be open to all now.

        Args:
            now: By the monotonic clock.
        """
        with self._lock:
            if self.opens_at is not None and now >= self.opens_at:
                self.opens_at = None
                self.mark += 1

    def forget(self) -> None:
        """What was read may have been undone: read everything again."""
        with self._lock:
            self._is_read = False
            self.mark += 1

    @property
    def has_news(self) -> bool:
        """Whether anything changed since the last look began."""
        return self.mark != self._seen_mark

    def may_offer(self, free: Iterable[str]) -> bool:
        """Whether a look may find a job of one of these pipelines.

        Args:
            free: Pipelines.
        """
        if self._touched or not self._is_read:
            return True
        return any(name in self._lanes and self._lanes[name].available for name in free)

    def read(self, tx: Connection) -> None:
        """Read what has changed.

        Args:
            tx: A writing transaction.
        """
        with self._lock:
            touched, self._touched = self._touched, set()
            self._seen_mark = self.mark
            is_first, self._is_read = not self._is_read, True
        if is_first:
            self._entries, self._names, self._lanes, self._own = {}, {}, {}, {}
            self._add(tx.execute(_OPEN).mappings())
            return
        for experiment_id in touched:
            self._remove(experiment_id)
        wanted = list(touched)
        if len(wanted) <= MOST_ALONE:
            for experiment_id in wanted:
                self._add(_ONE.rows(tx, of=experiment_id))
            return
        for at in range(0, len(wanted), LARGEST_READ):
            some = {"touched": wanted[at : at + LARGEST_READ]}
            self._add(tx.execute(_TOUCHED, some).mappings())

    def available(self, pipelines: Iterable[str]) -> Iterator[Entry]:
        """Jobs that can be claimed, in their order.

        Args:
            pipelines: Of these only.
        """
        lanes = [list(self._lanes[name].available) for name in pipelines if name in self._lanes]
        for _, entry in merge(*lanes, key=lambda pair: pair[0]):
            yield entry

    def is_led(self, entry: Entry, size: int | None) -> bool:
        """Whether a job has to wait for one of a higher priority that waits, or is being made.

        Args:
            entry: The job.
            size: Samples that an agent has, which may have too few for the other one.
        """
        for priority, other in self._lanes[entry.pipeline].leading:
            if priority >= entry.priority:
                return False
            if self._entries[other].fits(size):
                return True
        return False

    def is_busy_above(self, entry: Entry, agent_id: str, size: int | None, slots: int) -> bool:
        """Whether an agent has just computed a job of a higher priority itself.

        It has a job for each slot, and yet one is free: the last results of a job are on their way,
        and the next of that experiment comes before this one.

        Args:
            entry: The job.
            agent_id: Who might have it.
            size: Samples that the agent has.
            slots: Jobs that it runs at once.
        """
        found = (self._entries[other] for other in self._own.get(agent_id, ()))
        own = [other for other in found if other.is_held]
        return len(own) >= slots and any(
            other.pipeline == entry.pipeline
            and other.priority < entry.priority
            and other.fits(size)
            for other in own
        )

    def take(self, entry: Entry, agent_id: str) -> None:
        """A job is given to an agent.

        Args:
            entry: The job.
            agent_id: Who gets it.
        """
        self._remove(entry.experiment_id)
        entry.state, entry.agent_id = "claimed", agent_id
        self._insert(entry)

    def doubt_holders(self, names: Iterable[str]) -> None:
        """Agents came or changed that hold checkpoints of these experiments.

        Args:
            names: Of the experiments.
        """
        with self._lock:
            found = [self._entries.get(self._names.get(name, "")) for name in names]
            for entry in found:
                if entry is not None:
                    entry.reserve = None
            if any(found):
                self.mark += 1

    def _add(self, rows: Iterable[RowMapping | dict[str, Any]]) -> None:
        for row in rows:
            self._remove(row["experiment_id"])
            self._insert(Entry.of(row))

    def _insert(self, entry: Entry) -> None:
        self._entries[entry.experiment_id] = entry
        self._names[entry.name] = entry.experiment_id
        lane = self._lanes.setdefault(entry.pipeline, _Lane())
        if entry.is_available:
            insort(lane.available, (entry.place, entry), key=_place)
        if entry.is_available or entry.job_id is None:
            insort(lane.leading, (entry.priority, entry.experiment_id))
        if entry.agent_id is not None:
            self._own.setdefault(entry.agent_id, set()).add(entry.experiment_id)

    def _remove(self, experiment_id: str) -> None:
        entry = self._entries.pop(experiment_id, None)
        if entry is None:
            return
        self._names.pop(entry.name, None)
        lane = self._lanes[entry.pipeline]
        if entry.is_available:
            del lane.available[bisect_left(lane.available, entry.place, key=_place)]
        if entry.is_available or entry.job_id is None:
            del lane.leading[bisect_left(lane.leading, (entry.priority, experiment_id))]
        if entry.agent_id is not None:
            own = self._own[entry.agent_id]
            own.discard(experiment_id)
            if not own:
                del self._own[entry.agent_id]


def _place(pair: tuple[Place, Entry]) -> Place:
    return pair[0]
