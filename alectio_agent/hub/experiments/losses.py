"""Jobs that fell silent: never started, gone from their agent, or not heard of for too long."""

from functools import partial

from sqlalchemy import Connection, bindparam, func, select

from alectio_agent.core.units import format_duration
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.records import (
    Attempt,
    Job,
    change_attempt,
    experiment_of,
    find_attempt,
    job_of,
)
from alectio_agent.hub.experiments.waiting import make_available, return_job, wait_for_person
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import attempts, jobs, results
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.protocol import LEASE_S, START_WITHIN_S

MOST_LOSSES = 3
"""A step that took its agent along so often will do it again."""
SHORTEST_TAKEOVER_S = 3600.0

_HELD = select(jobs.c.job_id).where((jobs.c.state == "claimed") | (jobs.c.state == "running"))
_ALL_HELD = PreparedQuery(_HELD)
_ANY_HELD = PreparedQuery(_HELD.limit(1))
_STEPS_DONE = PreparedQuery(select(results.c.step).where(results.c.lease == bindparam("of")))


def release(tx: Connection, context: Context, attempt: Attempt) -> None:
    """Take back a claim that was never started.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        attempt: In the state `claimed`.
    """
    change_attempt(tx, attempt.lease, state="returned", ended_at=context.now())
    job = job_of(tx, attempt.job_id)
    if job.lease == attempt.lease and job.state == "claimed":
        return_job(tx, context, job)


def release_lost(tx: Connection, context: Context, attempt: Attempt, why: str) -> None:
    """Give up an attempt that cannot come to an end.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        attempt: Open.
        why: What happened, for people.
    """
    change_attempt(tx, attempt.lease, state="lost", ended_at=context.now())
    after_commit(tx, partial(context.leases.distrust, attempt.job_id))
    _lose(tx, context, attempt, why)


def tick(tx: Connection, context: Context) -> bool:
    """Look for claims that were never started, and for leases that ran out long ago.

    Args:
        tx: A writing transaction.
        context: For time and memory.

    Returns:
        Whether anything was claimed, so that the clock must be looked at again.
    """
    found = _ANY_HELD.row(tx) is not None
    if not context.leases.are_seen:
        # Leases from before this process: each gets a fresh period from this look on.
        for job_id in _ALL_HELD.values(tx):
            _look(tx, context, job_id)
        after_commit(tx, context.leases.note_seen)
    for job_id in context.leases.silent_jobs(START_WITHIN_S):
        _look(tx, context, job_id)
    return found


def next_step(tx: Connection, attempt: Attempt) -> str | None:
    """The step that an attempt has to commit next.

    Args:
        tx: Any transaction.
        attempt: Any.

    Returns:
        None when it has committed all its steps.
    """
    done = set(_STEPS_DONE.values(tx, of=attempt.lease))
    return next((step for step in attempt.steps.split() if step not in done), None)


def _look(tx: Connection, context: Context, job_id: str) -> None:
    job = job_of(tx, job_id)
    attempt = find_attempt(tx, job.lease or "")
    if job.state not in ("claimed", "running") or attempt is None or not attempt.is_open:
        return
    silent_s = context.leases.silent_s(job.job_id, attempt.lease, attempt.agent_id)
    if attempt.state == "claimed":
        if silent_s > START_WITHIN_S:
            release(tx, context, attempt)
    elif silent_s > LEASE_S and silent_s > LEASE_S + takeover_s(tx, job):
        # The lease stays good until another attempt commits: the agent may only be offline.
        said = f"its agent has not been heard of for {format_duration(silent_s)}"
        _lose(tx, context, attempt, said)


def takeover_s(tx: Connection, job: Job) -> float:
    """How long after its lease ran out a started job is offered elsewhere.

    Args:
        tx: Any transaction.
        job: Started.

    Returns:
        Seconds: as the experiment says, else the longer of an hour and twice the last loop.
    """
    wanted = experiment_of(tx, job.experiment_id).settings.takeover_after
    if wanted is not None:
        return wanted
    last_loop = (
        select(func.sum(results.c.duration_s))
        .join(jobs, jobs.c.job_id == results.c.job_id)
        .where(
            jobs.c.experiment_id == job.experiment_id,
            jobs.c.loop == job.loop - 1,
            results.c.is_counted,
        )
    )
    return max(SHORTEST_TAKEOVER_S, 2 * (tx.execute(last_loop).scalar() or 0.0))


def _lose(tx: Connection, context: Context, attempt: Attempt, why: str) -> None:
    step = next_step(tx, attempt)
    change_attempt(tx, attempt.lease, lost_step=step)
    job = job_of(tx, attempt.job_id)
    if job.lease != attempt.lease or job.state == "done":
        return
    if _losses(tx, job, step) < MOST_LOSSES:
        make_available(tx, context, job)
        return
    problem = (
        f"{step} was lost {MOST_LOSSES} times without a word from the agent (last time: {why}). "
        "It may take its machine down. Mend it, then retry"
    )
    wait_for_person(tx, context, job, problem)


def _losses(tx: Connection, job: Job, step: str | None) -> int:
    """How often a step was lost since an agent last said why, or a person looked at it."""
    of_job = attempts.c.job_id == job.job_id
    told = select(func.max(attempts.c.attempt)).where(of_job, attempts.c.failure_class.is_not(None))
    since = max(job.fresh_attempt, tx.execute(told).scalar() or 0)
    lost = select(func.count()).where(
        of_job, attempts.c.attempt > since, attempts.c.lost_step == step
    )
    return int(tx.execute(lost).scalar_one())
