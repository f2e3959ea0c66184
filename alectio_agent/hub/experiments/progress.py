"""What comes after a loop: a selection is owed, or the experiment is over."""

from functools import partial

from sqlalchemy import Connection

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.parts import drop_unnamed
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_experiment,
    change_job,
    experiment_of,
    newest_job,
)
from alectio_agent.hub.experiments.scores import counted_metrics, owes_metrics
from alectio_agent.hub.store.transactions import after_commit

UNDECIDED = "undecided"


def complete_job(tx: Connection, context: Context, job: Job) -> None:
    """All steps of a job are counted: close it, and see what comes next.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        job: As it was before its last commit.
    """
    change_job(tx, job.job_id, state="done", done_at=context.now(), problem="")
    drop_unnamed(tx, context, job.job_id)
    after_commit(tx, partial(context.leases.drop, job.job_id))
    advance(tx, context, job.experiment_id)


def advance(tx: Connection, context: Context, experiment_id: str) -> None:
    """Decide what comes after the newest loop, as far as it can be known now.

    May be called at any time: it reads the tables, and does nothing twice.

    Args:
        tx: A writing transaction.
        context: For time and workers.
        experiment_id: Whose.
    """
    experiment = experiment_of(tx, experiment_id)
    job = newest_job(tx, experiment_id)
    if not experiment.is_over and experiment.owed_loop is None:
        _owe_next(tx, context, experiment, job)
    _finish(tx, context, experiment_of(tx, experiment_id))
    mark_changed(tx, context, experiment.name)


def mark_changed(tx: Connection, context: Context, name: str) -> None:
    """Have an experiment's results files written anew.

    Args:
        tx: A writing transaction.
        context: For the worker that writes them.
        name: Of the experiment.
    """
    after_commit(tx, partial(context.due.mark, name))


def _owe_next(tx: Connection, context: Context, experiment: Experiment, job: Job | None) -> None:
    if experiment.pipeline is None or experiment.pool_size is None:
        return
    if job is not None and job.state != "done":
        return
    loop = 0 if job is None else job.loop + 1
    ending = None if job is None else _ending(tx, experiment, job)
    if ending == UNDECIDED:
        return
    if ending is None:
        change_experiment(tx, experiment.experiment_id, owed_loop=loop)
        after_commit(tx, context.due.selections.set)
    else:
        change_experiment(tx, experiment.experiment_id, is_over=True, ending=ending)


def _ending(tx: Connection, experiment: Experiment, job: Job) -> str | None:
    """Why no loop comes after this one: empty after the last; None when one comes."""
    stop = experiment.settings.stop
    if job.loop + 1 >= experiment.settings.loops:
        return ""
    if stop.max_labels is not None and job.labelled >= stop.max_labels:
        return f"stop.max_labels: {job.labelled:,} samples are labelled"
    if job.labelled >= (experiment.pool_size or 0):
        return f"the pool is empty: all {job.labelled:,} samples are labelled"
    return _target_reached(tx, experiment, job) if stop.target is not None else None


def _target_reached(tx: Connection, experiment: Experiment, job: Job) -> str | None:
    target = experiment.settings.stop.target
    assert target is not None  # noqa: S101 - asked only with a target
    # The next loop waits for the metrics, so that it never depends on which was quicker.
    metrics = counted_metrics(tx, job.experiment_id, job.loop - target.patience + 1)
    if job.loop not in metrics:
        return UNDECIDED
    values = [found.get(target.metric, float("-inf")) for found in metrics.values()]
    if len(values) < target.patience or min(values) < target.value:
        return None
    loops = "" if target.patience == 1 else f" for {target.patience} loops"
    return f"stop.target: {target.metric} is at least {target.value:g}{loops}"


def _finish(tx: Connection, context: Context, experiment: Experiment) -> None:
    if not experiment.is_over or experiment.state in ("finished", "cancelled"):
        return
    if owes_metrics(tx, experiment.experiment_id):
        return
    change_experiment(
        tx,
        experiment.experiment_id,
        state="finished",
        reason=experiment.ending,
        ended_at=context.now(),
    )
