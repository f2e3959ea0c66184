"""Agents that hold a checkpoint which a job can use."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, delete, func, select

from alectio_agent.hub.experiments.records import Experiment, Job
from alectio_agent.hub.experiments.registry import Agent
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import attempts, checkpoints, offers

OFFERED_SIZE = func.coalesce(offers.c.pool_size, offers.c.state_size)
"""How many samples an agent has; null when it leaves that to the experiment."""
PARTIAL = ".partial"
"""What an interrupted train saved is called as its checkpoint would have been, and this."""

_HELD = (
    select(checkpoints.c.agent_id, offers.c.store, OFFERED_SIZE.label("size"))
    .join(
        offers,
        and_(
            offers.c.agent_id == checkpoints.c.agent_id,
            offers.c.pipeline == bindparam("pipeline"),
        ),
        isouter=True,
    )
    .where(checkpoints.c.experiment == bindparam("of"))
)
_HOLDERS = PreparedQuery(_HELD.where(checkpoints.c.name == bindparam("wanted")))
_COUNTED = (
    select(func.max(attempts.c.attempt))
    .where(
        attempts.c.job_id == bindparam("job"),
        attempts.c.ckpt_file == bindparam("trained"),
        attempts.c.train_lease == attempts.c.lease,
    )
    .scalar_subquery()
)
_PARTIALS = select(attempts.c.ckpt_file + PARTIAL).where(attempts.c.job_id == bindparam("job"))
# What was saved before the train that counts is of no use any more.
_NEWER = _PARTIALS.where(attempts.c.attempt > func.coalesce(_COUNTED, 0))
_HOLDERS_OF_PARTIALS = PreparedQuery(_HELD.where(checkpoints.c.name.in_(_NEWER)))
_STORE = PreparedQuery(
    select(offers.c.store).where(
        offers.c.agent_id == bindparam("of"), offers.c.pipeline == bindparam("pipeline")
    )
)
_DROP = delete(checkpoints).where(
    checkpoints.c.experiment == bindparam("of"), checkpoints.c.name.in_(_PARTIALS)
)


@dataclass(frozen=True)
class Holders:
    """Who holds a checkpoint and has the whole pool, and on which shared stores it lies."""

    agents: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()

    def include(self, tx: Connection, agent: Agent, experiment: Experiment) -> bool:
        """Whether an agent can read the checkpoint.

        Args:
            tx: Any transaction.
            agent: Who.
            experiment: Of the checkpoint.
        """
        if agent.agent_id in self.agents:
            return True
        if not self.stores:
            return False
        own = _STORE.values(tx, of=agent.agent_id, pipeline=experiment.pipeline)
        return not self.stores.isdisjoint(own)


@dataclass(frozen=True)
class Useful:
    """The checkpoints that a job can use.

    Attributes:
        trained: Of this very loop.
        partial: Of a train of this loop that was interrupted.
        earlier: The one that train starts from.
        is_needed: There are such checkpoints, whoever holds them; partial ones do not count.
    """

    trained: Holders
    partial: Holders
    earlier: Holders
    is_needed: bool

    @property
    def agents(self) -> frozenset[str]:
        """All that hold one."""
        return self.trained.agents | self.partial.agents | self.earlier.agents

    @property
    def stores(self) -> frozenset[str]:
        """All shared stores on which one lies."""
        return self.trained.stores | self.partial.stores | self.earlier.stores


def find_useful(tx: Connection, experiment: Experiment, job: Job) -> Useful:
    """See who holds what for a job.

    Args:
        tx: Any transaction.
        experiment: Of the job.
        job: Available.
    """
    partial = _holders_of_partials(tx, experiment, job)
    if job.is_from_scratch:
        return Useful(Holders(), partial, Holders(), is_needed=False)
    trained = _holders_of(tx, experiment, job.ckpt_file)
    earlier = _holders_of(tx, experiment, job.resume_file)
    is_needed = job.ckpt_file is not None or job.resume_file is not None
    return Useful(trained, partial, earlier, is_needed)


def forget_partials(tx: Connection, experiment: Experiment, job: Job) -> None:
    """The train of a loop counted, or runs anew: what interrupted ones saved is of no use.

    Args:
        tx: A writing transaction.
        experiment: Of the job.
        job: Of the loop.
    """
    if job.attempt > 0:
        tx.execute(_DROP, {"of": experiment.name, "job": job.job_id})


def _holders_of(tx: Connection, experiment: Experiment, name: str | None) -> Holders:
    if name is None:
        return Holders()
    rows = _HOLDERS.rows(tx, pipeline=experiment.pipeline, of=experiment.name, wanted=name)
    return _holders(rows, experiment)


def _holders_of_partials(tx: Connection, experiment: Experiment, job: Job) -> Holders:
    if job.attempt == 0:
        return Holders()
    wanted = {"of": experiment.name, "job": job.job_id, "trained": job.ckpt_file}
    rows = _HOLDERS_OF_PARTIALS.rows(tx, pipeline=experiment.pipeline, **wanted)
    return _holders(rows, experiment)


def _holders(rows: list[dict[str, object]], experiment: Experiment) -> Holders:
    stores = frozenset(str(row["store"]) for row in rows if row["store"] is not None)
    least = experiment.pool_size or 0
    sizes = {str(row["agent_id"]): row["size"] for row in rows}
    able = (of for of, size in sizes.items() if not isinstance(size, int) or size >= least)
    return Holders(frozenset(able), stores)
