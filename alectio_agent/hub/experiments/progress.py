"""What comes after a loop: a selection is owed, or the experiment is over."""

import logging
from functools import partial

from sqlalchemy import Connection, bindparam, select, update

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.parts import drop_unnamed
from alectio_agent.hub.experiments.recalling import recall
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_experiment,
    change_job,
    experiment_of,
    newest_job,
)
from alectio_agent.hub.experiments.scores import counted_metrics, owes_metrics
from alectio_agent.hub.experiments.spending import Spent, spent_by
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import results
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.pools import batch_left

log = logging.getLogger(__name__)

UNDECIDED = "undecided"
_COUNTED = PreparedQuery(
    select(results.c.step).where(results.c.job_id == bindparam("of"), results.c.is_counted)
)


def complete_job(tx: Connection, context: Context, job: Job) -> None:
    """All steps of a job are counted: close it, and see what comes next.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        job: As it was before its last commit.
    """
    _close(tx, context, job)
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
    is_finished = _finish(tx, context, experiment_of(tx, experiment_id))
    mark_changed(tx, context, experiment.name, may_wait=not is_finished)


def reconsider(tx: Connection, context: Context, experiment_id: str) -> None:
    """Decide anew what comes after the newest loop: settings, pool or loops changed.

    Args:
        tx: A writing transaction.
        context: For time and workers.
        experiment_id: Whose; one that is cancelled stays so, a finished one may go on.
    """
    experiment, job = experiment_of(tx, experiment_id), newest_job(tx, experiment_id)
    values: dict[str, object] = {}
    if experiment.state in ("finished", "cancelled"):
        may_go_on = experiment.state == "finished" and job is not None
        if not (may_go_on and job and _ending(tx, experiment, job) is None):
            mark_changed(tx, context, experiment.name)
            return
        values = {"state": "running", "reason": "", "ended_at": None}
    change_experiment(tx, experiment_id, is_over=False, ending="", owed_loop=None, **values)
    if job is not None and job.state in ("available", "waiting"):
        _fit_steps(tx, context, experiment, job)
    advance(tx, context, experiment_id)


def wants_infer(experiment: Experiment, loop: int, spent: Spent) -> bool:
    """Whether anybody reads what the model of a loop says of the rest of the pool.

    Args:
        experiment: With its pool.
        loop: From 0.
        spent: Samples and labels that the loops up to this one used up.
    """
    settings = experiment.settings
    if experiment.control_of is not None or loop + 1 >= settings.loops:
        return False
    pool_size = experiment.pool_size or 0
    return batch_left(settings, loop + 1, spent.labels, pool_size, spent.chosen) > 0


def void_infer(tx: Connection, job: Job) -> None:
    """The next selection cannot be made from what a loop's infer said; it is kept as void.

    Args:
        tx: A writing transaction.
        job: Of the loop.
    """
    inferred = update(results).where(results.c.job_id == job.job_id, results.c.step == "infer")
    tx.execute(inferred.values(is_counted=False))


def repeat_infer(tx: Connection, context: Context, experiment: Experiment, job: Job) -> None:
    """Files of what a loop's infer said are gone, such as from a backup: have it run again.

    Args:
        tx: A writing transaction.
        context: For time and workers.
        experiment: Owes the selection that they are needed for.
        job: Of the loop.
    """
    log.warning(
        "%s/%d: files of what infer returned are gone; it runs again", experiment.name, job.loop
    )
    void_infer(tx, job)
    change_experiment(tx, experiment.experiment_id, owed_loop=None)
    advance(tx, context, experiment.experiment_id)


def mark_changed(tx: Connection, context: Context, name: str, *, may_wait: bool = False) -> None:
    """Have an experiment's results files written anew.

    Args:
        tx: A writing transaction.
        context: For the worker that writes them.
        name: Of the experiment.
        may_wait: It is one loop of many, which may share a write with the next.
    """
    after_commit(tx, partial(context.due.mark, name, may_wait=may_wait))


def _close(tx: Connection, context: Context, job: Job) -> None:
    change_job(tx, job.job_id, state="done", done_at=context.now(), problem="")
    # The lease goes first: a part that arrives meanwhile is swept now, or hears that it is late.
    after_commit(tx, partial(context.leases.drop, job.job_id))
    drop_unnamed(tx, context, job.job_id)


def _owe_next(tx: Connection, context: Context, experiment: Experiment, job: Job | None) -> None:
    if experiment.pipeline is None or experiment.pool_size is None:
        return
    if job is not None and job.state != "done":
        return
    loop = 0 if job is None else job.loop + 1
    ending = None if job is None else _ending(tx, experiment, job)
    if ending == UNDECIDED:
        return
    if ending is None and job is not None and _lacks_infer(tx, experiment, job):
        _ask_for_infer(tx, context, job)
    elif ending is None:
        change_experiment(tx, experiment.experiment_id, owed_loop=loop)
        after_commit(tx, context.due.selections.set)
    else:
        change_experiment(tx, experiment.experiment_id, is_over=True, ending=ending)


def _lacks_infer(tx: Connection, experiment: Experiment, job: Job) -> bool:
    """It was the last loop when it was made, or its infer did not see the whole pool."""
    if not wants_infer(experiment, job.loop, spent_by(tx, experiment, job)):
        return False
    return "infer" not in _counted_steps(tx, job)


def _counted_steps(tx: Connection, job: Job) -> set[str]:
    return set(_COUNTED.values(tx, of=job.job_id))


def _fit_steps(tx: Connection, context: Context, experiment: Experiment, job: Job) -> None:
    """Give a job that nobody runs the steps that are wanted now: perhaps none is left."""
    has_infer = wants_infer(experiment, job.loop, spent_by(tx, experiment, job))
    change_job(tx, job.job_id, has_infer=has_infer)
    if not has_infer and {"train", "test"} <= _counted_steps(tx, job):
        # One that fell silent may still be at its infer: it must not send what nobody keeps.
        recall(tx, context, job)
        _close(tx, context, job)


def _ask_for_infer(tx: Connection, context: Context, job: Job) -> None:
    """Make a job available that is done but for its infer."""
    values = {"state": "available", "has_infer": True, "done_at": None}
    values |= {"available_at": context.turns.next(tx), "fresh_attempt": job.attempt}
    change_job(tx, job.job_id, **values)
    change_experiment(tx, job.experiment_id)
    after_commit(tx, partial(context.leases.offer, job.job_id))


def _ending(tx: Connection, experiment: Experiment, job: Job) -> str | None:
    """Why no loop comes after this one: empty after the last; None when one comes."""
    stop = experiment.settings.stop
    if job.loop + 1 >= experiment.settings.loops:
        return ""
    spent = spent_by(tx, experiment, job)
    if stop.max_labels is not None and spent.labels >= stop.max_labels:
        return f"stop.max_labels: {_labelled_of(job, spent.labels)}"
    if spent.chosen >= (experiment.pool_size or 0):
        all_of = "all " if job.labelled == spent.chosen else ""
        return f"the pool is empty: {all_of}{_labelled_of(job, spent.chosen)}"
    return _target_reached(tx, experiment, job) if stop.target is not None else None


def _labelled_of(job: Job, asked: int) -> str:
    """People may still owe some of the labels, or have excluded samples."""
    if job.labelled == asked:
        return f"{asked:,} samples are labelled"
    return f"{asked:,} samples were asked for, the last loop had labels of {job.labelled:,}"


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


def _finish(tx: Connection, context: Context, experiment: Experiment) -> bool:
    """Finish an experiment that is over and owes nothing; whether it is at its end now."""
    if experiment.state in ("finished", "cancelled"):
        return True
    if not experiment.is_over or owes_metrics(tx, experiment.experiment_id):
        return False
    change_experiment(
        tx,
        experiment.experiment_id,
        state="finished",
        reason=experiment.ending,
        ended_at=context.now(),
    )
    return True
