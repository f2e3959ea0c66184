"""A job that nobody runs: available to agents, or waiting for a person."""

from functools import partial

from sqlalchemy import Connection

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.progress import mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_experiment,
    change_job,
    experiment_of,
)
from alectio_agent.hub.store.transactions import after_commit


def make_available(tx: Connection, context: Context, job: Job, **values: object) -> None:
    """Let agents claim a job.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        job: Not done.
        values: Further columns of the job to change.
    """
    moment = context.turns.next(tx)
    change_job(tx, job.job_id, state="available", available_at=moment, problem="", **values)
    change_experiment(tx, job.experiment_id)
    after_commit(tx, partial(context.leases.distrust, job.job_id))
    after_commit(tx, partial(context.leases.offer, job.job_id))


def return_job(tx: Connection, context: Context, job: Job) -> None:
    """Let agents claim a job that was claimed and not started: it has its old place and patience.

    Args:
        tx: A writing transaction.
        context: For memory.
        job: Claimed.
    """
    change_job(tx, job.job_id, state="available", problem="")
    change_experiment(tx, job.experiment_id)
    after_commit(tx, partial(context.leases.distrust, job.job_id))
    # If this process never saw it available, its time begins now.
    after_commit(tx, partial(context.leases.waiting_since, job.job_id))


def wait_for_person(tx: Connection, context: Context, job: Job, problem: str) -> None:
    """Stop a job until a person says otherwise.

    Args:
        tx: A writing transaction.
        context: For memory and workers.
        job: Not done.
        problem: What happened, for that person.
    """
    change_job(tx, job.job_id, state="waiting", problem=problem)
    after_commit(tx, partial(context.leases.distrust, job.job_id))
    experiment = experiment_of(tx, job.experiment_id)
    halt(tx, context, experiment, f"{experiment.name}/{job.loop}: {problem}")


def halt(tx: Connection, context: Context, experiment: Experiment, reason: str) -> None:
    """Put an experiment into the state `waiting`; a cancelled one stays cancelled.

    Args:
        tx: A writing transaction.
        context: For the worker that writes results files.
        experiment: Not finished.
        reason: What happened, for a person.
    """
    values = {} if experiment.state == "cancelled" else {"state": "waiting", "reason": reason}
    change_experiment(tx, experiment.experiment_id, **values)
    mark_changed(tx, context, experiment.name)


def revive(tx: Connection, context: Context, job: Job) -> None:
    """The newest attempt of a job that was offered elsewhere, or given up, is heard of again.

    Args:
        tx: A writing transaction.
        context: For memory.
        job: Available or waiting, though an attempt at it is open.
    """
    change_job(tx, job.job_id, state="running", problem="")
    experiment = experiment_of(tx, job.experiment_id)
    is_waiting = experiment.state == "waiting"
    values = {"state": "running", "reason": ""} if is_waiting else {}
    change_experiment(tx, experiment.experiment_id, **values)
    mark_changed(tx, context, experiment.name)
