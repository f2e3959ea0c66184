"""Who may have a job, and what to do for it: agents with the checkpoint come first."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, func, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.entry import Reserve
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    find_attempt,
)
from alectio_agent.hub.experiments.registry import Agent
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import checkpoints, offers, results
from alectio_agent.wire.protocol import STEPS

OFFERED_SIZE = func.coalesce(offers.c.pool_size, offers.c.state_size)
"""How many samples an agent has; null when it leaves that to the experiment."""

_HOLDERS = PreparedQuery(
    select(checkpoints.c.agent_id, offers.c.store, OFFERED_SIZE.label("size"))
    .join(
        offers,
        and_(
            offers.c.agent_id == checkpoints.c.agent_id,
            offers.c.pipeline == bindparam("pipeline"),
        ),
        isouter=True,
    )
    .where(checkpoints.c.experiment == bindparam("of"), checkpoints.c.name == bindparam("wanted"))
)
_STORE = PreparedQuery(
    select(offers.c.store).where(
        offers.c.agent_id == bindparam("of"), offers.c.pipeline == bindparam("pipeline")
    )
)


@dataclass(frozen=True)
class Plan:
    """What an agent is to do for a job.

    Attributes:
        steps: In order; never empty.
        resume_from: Checkpoint that train starts from; None starts from nothing.
        ckpt_file: Of the train that is counted already; None trains anew.
        train_lease: Of that train; None trains anew.
    """

    steps: tuple[str, ...]
    resume_from: str | None
    ckpt_file: str | None = None
    train_lease: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A job for an agent."""

    experiment: Experiment
    job: Job
    plan: Plan


def find_reserve(tx: Connection, context: Context, experiment: Experiment, job: Job) -> Reserve:
    """See for whom a job is kept, as `make_plan` will judge each agent.

    Args:
        tx: Any transaction.
        context: For how long the job has waited.
        experiment: Of the job.
        job: Available.
    """
    tags = frozenset(experiment.settings.tags)
    if job.is_from_scratch or (job.ckpt_file is None and job.resume_file is None):
        return Reserve(tags)
    trained = _Holders.of(tx, experiment, job.ckpt_file)
    earlier = _Holders.of(tx, experiment, job.resume_file)
    preferred = (trained.agents | earlier.agents) - _silent_agent(tx, job)
    opens_at = _opens_at(context, experiment, job, preferred)
    stores = trained.stores | earlier.stores
    return Reserve(tags, trained.agents, earlier.agents, stores, opens_at)


def make_plan(
    tx: Connection, context: Context, agent: Agent, experiment: Experiment, job: Job
) -> Plan | None:
    """See what an agent could do for a job.

    Args:
        tx: Any transaction.
        context: For how long the job has waited.
        agent: Who asks.
        experiment: Of the job.
        job: Available.

    Returns:
        None while agents with a checkpoint for it come first.
    """
    steps = _steps(job)
    if job.is_from_scratch:
        return Plan(steps, None)
    trained = _Holders.of(tx, experiment, job.ckpt_file)
    if job.ckpt_file is not None and trained.include(tx, agent, experiment):
        return _go_on(tx, job, steps)
    earlier = _Holders.of(tx, experiment, job.resume_file)
    if job.resume_file is not None and earlier.include(tx, agent, experiment):
        return Plan(steps, job.resume_file)
    if job.ckpt_file is None and job.resume_file is None:
        return Plan(steps, None)
    preferred = (trained.agents | earlier.agents) - _silent_agent(tx, job)
    return Plan(steps, None) if _is_for_anyone(context, experiment, job, preferred) else None


def is_kept_for_holders(tx: Connection, context: Context, experiment: Experiment, job: Job) -> bool:
    """Whether an available job waits for agents that hold a checkpoint it can use.

    Args:
        tx: Any transaction.
        context: For how long the job has waited.
        experiment: Of the job.
        job: Available.
    """
    if job.is_from_scratch or (job.ckpt_file is None and job.resume_file is None):
        return False
    names = (job.ckpt_file, job.resume_file)
    holders = frozenset().union(*(_Holders.of(tx, experiment, name).agents for name in names))
    return not _is_for_anyone(context, experiment, job, holders - _silent_agent(tx, job))


@dataclass(frozen=True)
class _Holders:
    """Who holds one checkpoint and has the whole pool, and on which shared stores it lies."""

    agents: frozenset[str]
    stores: frozenset[str]

    @classmethod
    def of(cls, tx: Connection, experiment: Experiment, name: str | None) -> "_Holders":
        if name is None:
            return cls(frozenset(), frozenset())
        rows = _HOLDERS.rows(tx, pipeline=experiment.pipeline, of=experiment.name, wanted=name)
        stores = frozenset(row["store"] for row in rows if row["store"] is not None)
        least = experiment.pool_size or 0
        able = (row["agent_id"] for row in rows if row["size"] is None or row["size"] >= least)
        return cls(frozenset(able), stores)

    def include(self, tx: Connection, agent: Agent, experiment: Experiment) -> bool:
        if agent.agent_id in self.agents:
            return True
        if not self.stores:
            return False
        own = _STORE.values(tx, of=agent.agent_id, pipeline=experiment.pipeline)
        return not self.stores.isdisjoint(own)


def _steps(job: Job) -> tuple[str, ...]:
    return STEPS if job.has_infer else STEPS[:-1]


def _go_on(tx: Connection, job: Job, steps: tuple[str, ...]) -> Plan:
    """The steps that are still to do on the train that is counted."""
    counted = select(results.c.step, results.c.train_lease).where(
        results.c.job_id == job.job_id, results.c.is_counted
    )
    done = {row.step: row.train_lease for row in tx.execute(counted)}
    todo = tuple(step for step in steps if step not in done)
    return Plan(todo, job.resume_file, job.ckpt_file, done["train"])


def _silent_agent(tx: Connection, job: Job) -> set[str]:
    """Whoever lost the job just now is not waited for a second time."""
    attempt = find_attempt(tx, job.lease) if job.lease else None
    return {attempt.agent_id} if attempt is not None and attempt.lost_step is not None else set()


def _is_for_anyone(
    context: Context, experiment: Experiment, job: Job, preferred: Iterable[str]
) -> bool:
    opens_at = _opens_at(context, experiment, job, preferred)
    return opens_at is not None and context.clock.monotonic() >= opens_at


def _opens_at(
    context: Context, experiment: Experiment, job: Job, preferred: Iterable[str]
) -> float | None:
    """From when on any agent may have a job; None never."""
    if experiment.settings.affinity == "strict":
        return None
    if not set(preferred):
        return float("-inf")
    return context.leases.waiting_since(job.job_id) + experiment.settings.affinity_timeout
