"""Commits: what counts for a loop, which is always from one train run; the first commit wins."""

from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, insert, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.agent_rows import note_checkpoint
from alectio_agent.hub.experiments.beats import known_attempt, lost_because, mark_alive
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.holders import forget_partials
from alectio_agent.hub.experiments.indices import chosen_up_to
from alectio_agent.hub.experiments.losses import next_step, release_lost
from alectio_agent.hub.experiments.messages import came_before, forget_message, is_repeated
from alectio_agent.hub.experiments.parts import missing_parts, part_path
from alectio_agent.hub.experiments.progress import complete_job
from alectio_agent.hub.experiments.records import (
    OPEN_ATTEMPTS,
    Attempt,
    Job,
    change_attempt,
    change_experiment,
    change_job,
    experiment_of,
    job_of,
)
from alectio_agent.hub.experiments.result_checks import Asked, Expected, check_inline, check_said
from alectio_agent.hub.store.prepared import PreparedChange
from alectio_agent.hub.store.tables import attempts, results
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.results import StepCommit
from alectio_agent.wire.strict_json import dumps

_COUNT = PreparedChange(insert(results))


def commit(
    tx: Connection, context: Context, job_id: str, step: str, lease: str, said: StepCommit
) -> ProblemError | None:
    """Count the result of a step.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        job_id: Of the job.
        step: Of the result.
        lease: That the call carries.
        said: The result; its parts have arrived before.

    Returns:
        `lease-lost`, to be answered once the transaction is durable: the step before this one was
        committed to a hub whose tables came from a backup since. The job is offered anew.

    Raises:
        ProblemError: `key-reused`; `lease-lost`; `invalid`: not the next step of this attempt;
            `parts-missing`, with the list.
    """
    if is_repeated(tx, job_id, said.key, said.content(step)):
        return None
    if _is_ahead(tx, attempt := known_attempt(tx, job_id, lease), step):
        forget_message(tx, job_id, said.key)
        release_lost(tx, context, attempt, "what it committed before is gone from this platform")
        return ProblemError("lease-lost", f"{step} came, and what came before it is gone")
    _admit(tx, context, attempt, step, said)
    job = replace(job_of(tx, job_id), lease=lease)
    if step != "train" and not said.parts:
        check_inline(said, _asked(tx, job, step))
    _win(tx, context, job, attempt)
    mark_alive(tx, context, job, attempt)
    _count(tx, context, attempt, step, said)
    _note_on_job(tx, job, attempt, step)
    change_experiment(tx, job.experiment_id)
    if step == attempt.steps.split()[-1]:
        change_attempt(tx, lease, state="done", ended_at=context.now())
        complete_job(tx, context, job)
    else:
        after_commit(tx, partial(context.leases.see, job_id, lease, attempt.agent_id))
    if step == "test":
        after_commit(tx, context.due.selections.set)
    return None


def expected(
    tx: Connection, context: Context, job_id: str, step: str, lease: str, said: StepCommit
) -> Expected | None:
    """What the parts of a commit must fit.

    Args:
        tx: Any transaction.
        context: Knows where parts lie.
        job_id: Of the job.
        step: Of the result.
        lease: That the call carries.
        said: The result.

    Returns:
        None when there is nothing to look into: it was counted before, or cannot count.

    Raises:
        ProblemError: As `commit`.
    """
    if came_before(tx, job_id, said.key, said.content(step)):
        return None
    attempt = known_attempt(tx, job_id, lease)
    if _is_ahead(tx, attempt, step):
        return None
    _admit(tx, context, attempt, step, said)
    job = job_of(tx, job_id)
    paths = tuple(part_path(context, job_id, part.sha256) for part in said.parts)
    settings = experiment_of(tx, job.experiment_id).settings
    return Expected(step, paths, settings.class_count, _asked(tx, job, step))


def _is_ahead(tx: Connection, attempt: Attempt, step: str) -> bool:
    """Whether a step before this one is missing, though messages of a job come in order."""
    steps, expected = attempt.steps.split(), next_step(tx, attempt)
    if not attempt.is_open or expected is None or step not in steps:
        return False
    return steps.index(step) > steps.index(expected)


def _admit(tx: Connection, context: Context, attempt: Attempt, step: str, said: StepCommit) -> None:
    if not attempt.is_open:
        raise ProblemError("lease-lost", lost_because(attempt))
    _check_order(tx, attempt, step)
    check_said(said, step)
    _check_parts(tx, context, attempt.job_id, said)


def _asked(tx: Connection, job: Job, step: str) -> Asked | None:
    if step != "infer":
        return None
    pool_size = experiment_of(tx, job.experiment_id).pool_size or 0
    return Asked(pool_size, chosen_up_to(tx, job.experiment_id, job.loop))


def _check_order(tx: Connection, attempt: Attempt, step: str) -> None:
    expected = next_step(tx, attempt)
    if step != expected:
        raise ProblemError(
            "invalid", f"step: found {step}, expected {expected or 'no further one'}"
        )


def _check_parts(tx: Connection, context: Context, job_id: str, said: StepCommit) -> None:
    missing = missing_parts(tx, context, job_id, said.parts)
    if missing:
        raise ProblemError(
            "parts-missing",
            f"{len(missing)} of {len(said.parts)} parts have not arrived whole",
            missing=[part.model_dump() for part in missing],
        )


def _win(tx: Connection, context: Context, job: Job, attempt: Attempt) -> None:
    """This commit keeps the job for its attempt: all others lose their leases."""
    if job.attempt == 1:
        return
    others = update(attempts).where(
        attempts.c.job_id == job.job_id,
        attempts.c.lease != attempt.lease,
        attempts.c.state.in_(OPEN_ATTEMPTS),
    )
    tx.execute(others.values(state="superseded", ended_at=context.now()))
    voided = update(results).where(
        results.c.job_id == job.job_id, results.c.train_lease != attempt.train_lease
    )
    tx.execute(voided.values(is_counted=False, owes_metrics=False))
    after_commit(tx, partial(context.leases.distrust, job.job_id))


def _count(tx: Connection, context: Context, attempt: Attempt, step: str, said: StepCommit) -> None:
    row = {
        "lease": attempt.lease,
        "step": step,
        "job_id": attempt.job_id,
        "train_lease": attempt.train_lease,
        "is_counted": True,
        "media_type": said.media_type,
        "rows": said.rows,
        "parts": dumps([part.model_dump() for part in said.parts]),
        "inline": None if said.inline is None else dumps(said.inline),
        "warnings": dumps(said.warnings),
        "started_at": said.started_at,
        "finished_at": said.finished_at,
        "duration_s": said.duration_s,
        "received_at": context.now(),
        "owes_metrics": step == "test",
        "provenance": None if said.provenance is None else dumps(said.provenance.model_dump()),
    }
    _COUNT.run(tx, **row)


def _note_on_job(tx: Connection, job: Job, attempt: Attempt, step: str) -> None:
    """The job is this attempt's, also when a newer one was issued meanwhile."""
    values: dict[str, object] = {"state": "running", "problem": ""}
    values |= {"lease": attempt.lease, "agent_id": attempt.agent_id}
    if step == "train":
        values |= {"ckpt_file": attempt.ckpt_file, "is_from_scratch": False}
        experiment = experiment_of(tx, job.experiment_id)
        if job.attempt > 1:
            forget_partials(tx, experiment, job)
        note_checkpoint(tx, attempt.agent_id, experiment.name, attempt.ckpt_file)
    change_job(tx, job.job_id, **values)
