"""Heartbeats that ask the tables: the first of a lease, and the first after a change."""

from functools import partial

from sqlalchemy import Connection

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.records import (
    Attempt,
    Job,
    change_attempt,
    change_experiment,
    change_job,
    experiment_of,
    find_attempt,
    job_of,
)
from alectio_agent.hub.experiments.waiting import revive
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.results import Heartbeat, HeartbeatAnswer


def heartbeat(
    tx: Connection, context: Context, job_id: str, lease: str, said: Heartbeat
) -> HeartbeatAnswer:
    """Take a beat, and say whether to go on.

    Args:
        tx: A writing transaction; written to only when the beat changes something.
        context: For time and memory.
        job_id: Of the job.
        lease: That the call carries.
        said: How far it is.

    Returns:
        With a reason when the job is to be cancelled.

    Raises:
        ProblemError: `lease-lost` or `job-closed`.
    """
    attempt = good_attempt(tx, job_id, lease)
    job = job_of(tx, job_id)
    experiment = experiment_of(tx, job.experiment_id)
    if experiment.state == "cancelled":
        return HeartbeatAnswer(cancel=f"experiment `{experiment.name}` was cancelled")
    mark_alive(tx, context, job, attempt)
    after_commit(tx, partial(context.leases.trust, job_id, lease, attempt.agent_id, said))
    return HeartbeatAnswer(cancel=None)


def good_attempt(tx: Connection, job_id: str, lease: str) -> Attempt:
    """The attempt of a lease that may go on.

    Args:
        tx: Any transaction.
        job_id: Of the job.
        lease: That the call carries.

    Raises:
        ProblemError: `lease-lost`: unknown, ended, or another attempt counted. `job-closed`: the
            job is done, or was cancelled.
    """
    attempt = known_attempt(tx, job_id, lease)
    if attempt.is_open:
        return attempt
    job = job_of(tx, job_id)
    if job.state == "done" or experiment_of(tx, job.experiment_id).state == "cancelled":
        raise ProblemError("job-closed", "the job is closed")
    raise ProblemError("lease-lost", lost_because(attempt))


def known_attempt(tx: Connection, job_id: str, lease: str) -> Attempt:
    """The attempt of a lease, good or not.

    Args:
        tx: Any transaction.
        job_id: Of the job.
        lease: That the call carries.

    Raises:
        ProblemError: `lease-lost`: this platform does not know it.
    """
    attempt = find_attempt(tx, lease)
    if attempt is None or attempt.job_id != job_id:
        raise ProblemError("lease-lost", "this platform does not know the job or its lease")
    return attempt


def lost_because(attempt: Attempt) -> str:
    """Why a lease is no longer good, for people.

    Args:
        attempt: Ended.
    """
    return {
        "superseded": "another attempt's result was counted first",
        "returned": "the job was not started in time, and went back",
        "lost": "the agent came back without this job",
        "recalled": "a person took it back: the loop was rewound, runs anew, or ends without it",
    }.get(attempt.state, f"attempt {attempt.attempt} has ended ({attempt.state})")


def mark_alive(tx: Connection, context: Context, job: Job, attempt: Attempt) -> None:
    """An attempt was heard of: it is started, and if it was given up, it is not any more.

    Args:
        tx: A writing transaction; written to only when that is news.
        context: For time and memory.
        job: Of the attempt.
        attempt: Open.
    """
    if attempt.lost_step is not None:
        change_attempt(tx, attempt.lease, lost_step=None)
    is_first = attempt.state == "claimed"
    if is_first:
        change_attempt(tx, attempt.lease, state="started", started_at=context.now())
    if job.lease != attempt.lease:
        if job.state == "available" and not _is_held(tx, job):
            # Whoever got it since gave it back, and this one has been at it all the time.
            change_job(tx, job.job_id, lease=attempt.lease, agent_id=attempt.agent_id)
            revive(tx, context, job)
    elif job.state in ("available", "waiting"):
        revive(tx, context, job)
    elif is_first:
        change_job(tx, job.job_id, state="running")
        change_experiment(tx, job.experiment_id)


def _is_held(tx: Connection, job: Job) -> bool:
    """Whether the newest attempt at a job may still come to something."""
    newest = find_attempt(tx, job.lease) if job.lease else None
    return newest is not None and newest.is_open
