"""Failures: which are tried again, how often, and which wait for a person."""

import re
from functools import partial

from sqlalchemy import Connection, func, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.agent_rows import forget_checkpoint, note_checkpoint
from alectio_agent.hub.experiments.beats import known_attempt, lost_because
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.messages import is_repeated
from alectio_agent.hub.experiments.parts import drop_if_over
from alectio_agent.hub.experiments.records import (
    Attempt,
    Experiment,
    Job,
    change_attempt,
    change_experiment,
    experiment_of,
    job_of,
)
from alectio_agent.hub.experiments.waiting import make_available, wait_for_person
from alectio_agent.hub.store.tables import attempts
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.results import JobFailure

RETRIED = ("timeout", "oom", "crash")


def fail(tx: Connection, context: Context, job_id: str, lease: str, said: JobFailure) -> None:
    """Take note that an attempt ended without all its results.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        job_id: Of the job.
        lease: That the call carries; void from here on.
        said: What happened.

    Raises:
        ProblemError: `key-reused` or `lease-lost`.
    """
    if is_repeated(tx, job_id, said.key, said.content()):
        return
    attempt = known_attempt(tx, job_id, lease)
    if not attempt.is_open:
        raise ProblemError("lease-lost", lost_because(attempt))
    change_attempt(
        tx,
        lease,
        state="failed",
        ended_at=context.now(),
        failure_class=said.failure_class,
        failed_step=said.step,
        lost_step=None,
        message=said.message,
        traceback=said.traceback,
    )
    after_commit(tx, partial(context.leases.distrust, job_id))
    job = job_of(tx, job_id)
    experiment = experiment_of(tx, job.experiment_id)
    if said.partial is not None:
        note_checkpoint(tx, attempt.agent_id, experiment.name, said.partial)
        change_experiment(tx, job.experiment_id)
    if job.lease == lease and job.state != "done":
        _decide(tx, context, experiment, job, attempt, said)
    drop_if_over(tx, context, job_id)


def _decide(
    tx: Connection,
    context: Context,
    experiment: Experiment,
    job: Job,
    attempt: Attempt,
    said: JobFailure,
) -> None:
    kind = said.failure_class
    earlier = _failures(tx, job, RETRIED if kind in RETRIED else (kind,)) - 1
    if kind == "interrupted" or (kind in RETRIED and earlier < experiment.settings.retries):
        make_available(tx, context, job)
    elif kind == "checkpoint" and earlier == 0:
        _start_over(tx, context, experiment, job, attempt)
    else:
        wait_for_person(tx, context, job, _problem(said, earlier))


def _start_over(
    tx: Connection, context: Context, experiment: Experiment, job: Job, attempt: Attempt
) -> None:
    """The checkpoint is not where it should be: train from nothing, whoever does it."""
    for name in (attempt.resume_from, job.ckpt_file):
        forget_checkpoint(tx, attempt.agent_id, experiment.name, name)
    make_available(tx, context, job, is_from_scratch=True)


def _failures(tx: Connection, job: Job, kinds: tuple[str, ...]) -> int:
    """How often the job failed in these ways since a person last looked at it."""
    failed = select(func.count()).where(
        attempts.c.job_id == job.job_id,
        attempts.c.attempt > job.fresh_attempt,
        attempts.c.failure_class.in_(kinds),
    )
    return int(tx.execute(failed).scalar_one())


def _problem(said: JobFailure, earlier: int) -> str:
    times = f" (failed {earlier + 1} times)" if earlier > 0 else ""
    # Most messages say job and step themselves, behind their code: `xray/3 infer: ...`.
    is_told = said.step is None or re.search(rf"/\d+ {said.step}: ", said.message) is not None
    step = "" if is_told else f"{said.step}: "
    return f"{step}{said.message or said.failure_class}{times}"
