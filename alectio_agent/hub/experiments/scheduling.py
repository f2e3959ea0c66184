"""Who gets which job: oldest first, higher priority first, agents with the checkpoint first."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, or_, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    experiment_record,
    find_attempt,
    job_of,
)
from alectio_agent.hub.experiments.registry import Agent
from alectio_agent.hub.store.tables import checkpoints, experiments, jobs, offers, results
from alectio_agent.wire.protocol import STEPS

OFFERED_SIZE = func.coalesce(offers.c.pool_size, offers.c.state_size)
"""How many samples an agent has; null when it leaves that to the experiment."""

# The loop that is not done of each experiment that runs, or none while its selection is owed.
# An agent with fewer samples than an experiment has would refuse its jobs.
_OPEN_LOOPS = (
    select(experiments, jobs.c.job_id, jobs.c.state.label("job_state"), jobs.c.agent_id)
    .join(
        jobs,
        and_(
            jobs.c.experiment_id == experiments.c.experiment_id,
            jobs.c.state.not_in(("done", "rewound")),
        ),
        isouter=True,
    )
    .join(
        offers,
        and_(
            offers.c.agent_id == bindparam("for_agent"),
            offers.c.pipeline == experiments.c.pipeline,
        ),
        isouter=True,
    )
    .where(
        experiments.c.state == "running",
        experiments.c.is_over.is_(False),
        experiments.c.pipeline.in_(bindparam("free", expanding=True)),
        experiments.c.pool_size.is_not(None),
        or_(OFFERED_SIZE.is_(None), experiments.c.pool_size <= OFFERED_SIZE),
    )
    .order_by(experiments.c.priority, jobs.c.available_at, jobs.c.position)
)
_HOLDERS = (
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
_STORE = select(offers.c.store).where(
    offers.c.agent_id == bindparam("of"), offers.c.pipeline == bindparam("pipeline")
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


@dataclass(frozen=True)
class _Open:
    """A running experiment and its loop that is not done, as far as a look needs them."""

    row: RowMapping

    @property
    def is_available(self) -> bool:
        return bool(self.row["job_state"] == "available")

    def blocks(self, other: RowMapping, agent_id: str) -> bool:
        """Whether a job of lower priority has to wait for this experiment."""
        if self.row["pipeline"] != other["pipeline"] or self.row["priority"] >= other["priority"]:
            return False
        # The agent's own job of it: the agent is free, so the last results are on their way.
        return self.row["job_id"] is None or self.is_available or self.row["agent_id"] == agent_id


def next_job(
    tx: Connection, context: Context, agent: Agent, free: Sequence[str]
) -> Candidate | None:
    """Find a job for an agent.

    Args:
        tx: Any transaction.
        context: For how long jobs have waited.
        agent: Who asks.
        free: Pipelines that a free slot of it may run.

    Returns:
        The job and what to do for it; None when there is none.
    """
    wanted = {"free": list(free), "for_agent": agent.agent_id}
    found = [_Open(row) for row in tx.execute(_OPEN_LOOPS, wanted).mappings()]
    tags = set(json.loads(agent.tags))
    for entry in found:
        if not entry.is_available or _is_blocked(entry, found, agent):
            continue
        experiment = experiment_record(_own(entry.row))
        if not tags.issuperset(experiment.settings.tags):
            continue
        job = job_of(tx, entry.row["job_id"])
        plan = make_plan(tx, context, agent, experiment, job)
        if plan is not None:
            return Candidate(experiment, job, plan)
    return None


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
        wanted = {"pipeline": experiment.pipeline, "of": experiment.name, "wanted": name}
        rows = tx.execute(_HOLDERS, wanted).all()
        stores = frozenset(row.store for row in rows if row.store is not None)
        least = experiment.pool_size or 0
        able = (row.agent_id for row in rows if row.size is None or row.size >= least)
        return cls(frozenset(able), stores)

    def include(self, tx: Connection, agent: Agent, experiment: Experiment) -> bool:
        if agent.agent_id in self.agents:
            return True
        if not self.stores:
            return False
        own = {"of": agent.agent_id, "pipeline": experiment.pipeline}
        return tx.execute(_STORE, own).scalar() in self.stores


def _own(row: RowMapping) -> dict[str, Any]:
    return {column.name: row[column.name] for column in experiments.c}


def _is_blocked(entry: _Open, found: Sequence[_Open], agent: Agent) -> bool:
    return any(other.blocks(entry.row, agent.agent_id) for other in found)


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
    if experiment.settings.affinity == "strict":
        return False
    if not set(preferred):
        return True
    return context.leases.waiting_s(job.job_id) >= experiment.settings.affinity_timeout
