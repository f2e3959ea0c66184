"""Who may have a job, and what to do for it: agents with the checkpoint come first."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, or_, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.entry import Reserve
from alectio_agent.hub.experiments.holders import Useful, find_useful
from alectio_agent.hub.experiments.records import (
    OPEN_ATTEMPTS,
    Experiment,
    Job,
    find_attempt,
)
from alectio_agent.hub.experiments.registry import Agent
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import attempts, results
from alectio_agent.wire.protocol import STEPS

_AT_WORK = PreparedQuery(
    select(attempts.c.lease).where(
        attempts.c.job_id == bindparam("at"),
        attempts.c.agent_id == bindparam("of"),
        or_(*(attempts.c.state == state for state in OPEN_ATTEMPTS)),
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
    found = find_useful(tx, experiment, job)
    opens_at = _opens_at(context, experiment, job, found, _silent_agent(tx, job))
    return Reserve(
        frozenset(experiment.settings.tags),
        found.trained.agents,
        found.partial.agents,
        found.earlier.agents,
        found.stores,
        opens_at,
    )


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
        None while agents with a checkpoint for it come first, and for an agent that works at it.
    """
    if job.attempt > 0 and _works_at(tx, context, agent, job):
        return None
    steps, found = _steps(job), find_useful(tx, experiment, job)
    if found.trained.include(tx, agent, experiment):
        return _go_on(tx, job, steps)
    if found.earlier.include(tx, agent, experiment):
        return Plan(steps, job.resume_file)
    is_first = found.partial.include(tx, agent, experiment)
    if is_first or _is_for_anyone(context, experiment, job, found, _silent_agent(tx, job)):
        return Plan(steps, None)
    return None


def is_kept_for_holders(tx: Connection, context: Context, experiment: Experiment, job: Job) -> bool:
    """Whether an available job waits for agents that hold a checkpoint it can use.

    Args:
        tx: Any transaction.
        context: For how long the job has waited.
        experiment: Of the job.
        job: Available.
    """
    found = find_useful(tx, experiment, job)
    return not _is_for_anyone(context, experiment, job, found, _silent_agent(tx, job))


def _works_at(tx: Connection, context: Context, agent: Agent, job: Job) -> bool:
    """Whether another slot of an agent has the job, though nothing was heard of that for long."""
    kind = context.roll.kind_of(agent.agent_id)
    if kind is None or kind.slots < 2:
        return False  # its only slot asks for a job
    return next(iter(_AT_WORK.values(tx, of=agent.agent_id, at=job.job_id)), None) is not None


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
    context: Context, experiment: Experiment, job: Job, found: Useful, silent: set[str]
) -> bool:
    opens_at = _opens_at(context, experiment, job, found, silent)
    return opens_at is not None and context.clock.monotonic() >= opens_at


def _opens_at(
    context: Context, experiment: Experiment, job: Job, found: Useful, silent: set[str]
) -> float | None:
    """From when on any agent may have a job; None never."""
    # A partial checkpoint saves time; there is no going on without the others.
    if experiment.settings.affinity == "strict" and found.is_needed:
        return None
    if not found.agents - silent:
        return float("-inf")
    return context.leases.waiting_since(job.job_id) + experiment.settings.affinity_timeout
