"""What a person says to a running experiment: retry, pause, resume, cancel."""

from functools import partial

from sqlalchemy import Connection, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.labelling import ask
from alectio_agent.hub.experiments.parts import drop_if_over
from alectio_agent.hub.experiments.progress import mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    change_experiment,
    change_job,
    experiment_in_state,
    find_experiment,
    newest_job,
)
from alectio_agent.hub.experiments.rewinding import take_back
from alectio_agent.hub.experiments.starting import find_ground, pin
from alectio_agent.hub.experiments.waiting import make_available
from alectio_agent.hub.store.tables import selections
from alectio_agent.hub.store.transactions import after_commit

_OPEN = ("running", "waiting", "paused")


def retry(tx: Connection, context: Context, name: str, *, is_from_train: bool = False) -> None:
    """Try again what waits for a person, from the step that failed.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        name: Of the experiment.
        is_from_train: Train again too, though that was counted: its fault shows in a later step.

    Raises:
        ProblemError: `not-found`, or `conflict`: nothing waits, or no step of a job does.
    """
    experiment = experiment_in_state(tx, name, ("waiting",), "waits for a person")
    change_experiment(tx, experiment.experiment_id, state="running", reason="")
    job = newest_job(tx, experiment.experiment_id)
    if is_from_train:
        if job is None or job.state != "waiting":
            raise ProblemError(
                "conflict",
                f"experiment `{name}` waits, but none of its jobs does: {experiment.reason}. To "
                "train a loop again that is done, rewind it",
            )
        take_back(tx, context, job)
        change_job(tx, job.job_id, ckpt_file=None, lease=None, agent_id=None)
    if job is not None and job.state == "waiting":
        make_available(tx, context, job, fresh_attempt=job.attempt, is_from_scratch=False)
    elif experiment.pool_size is None:
        # What did not fit may fit now; if the agents still say otherwise, the next one to
        # register is asked again.
        context.supplies.change()
        ground = find_ground(tx, context, experiment.settings)
        if ground.is_complete:
            pin(tx, context, experiment, ground)
        context.roll.forget_offers()
    after_commit(tx, context.due.selections.set)
    mark_changed(tx, context, name)


def pause(tx: Connection, context: Context, name: str) -> None:
    """Give out no further job; what runs is finished, and counts.

    Args:
        tx: A writing transaction.
        context: For the worker that writes results files.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`, or `conflict`: it does not run.
    """
    experiment = experiment_in_state(tx, name, ("running",), "runs")
    change_experiment(tx, experiment.experiment_id, state="paused", reason="paused by a person")
    mark_changed(tx, context, name)


def resume(tx: Connection, context: Context, name: str) -> None:
    """Go on after a pause.

    Args:
        tx: A writing transaction.
        context: For workers.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`, or `conflict`: it is not paused.
    """
    experiment = experiment_in_state(tx, name, ("paused",), "is paused")
    change_experiment(tx, experiment.experiment_id, state="running", reason="")
    after_commit(tx, context.due.selections.set)
    ask(tx, context, experiment.experiment_id)
    mark_changed(tx, context, name)


def cancel(tx: Connection, context: Context, name: str) -> None:
    """End an experiment for good; the job that runs is told with its next beat.

    A control that could not begin any more ends with it.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`, or `conflict`: it has ended.
    """
    experiment = experiment_in_state(tx, name, _OPEN, "has not ended")
    _end(tx, context, experiment, "cancelled by a person")
    control = None if experiment.control is None else find_experiment(tx, experiment.control)
    if control is not None and control.state in _OPEN and not _can_begin(tx, experiment, control):
        reason = f"`{name}` was cancelled before it had a first batch, which its control repeats"
        _end(tx, context, control, reason)


def _end(tx: Connection, context: Context, experiment: Experiment, reason: str) -> None:
    values = {"state": "cancelled", "reason": reason, "ended_at": context.now()}
    change_experiment(tx, experiment.experiment_id, **values)
    job = newest_job(tx, experiment.experiment_id)
    if job is not None:
        after_commit(tx, partial(context.leases.distrust, job.job_id))
        drop_if_over(tx, context, job.job_id)
    mark_changed(tx, context, experiment.name)


def _can_begin(tx: Connection, experiment: Experiment, control: Experiment) -> bool:
    """Whether a control has a loop 0, or the batch that it will be made from."""
    if newest_job(tx, control.experiment_id) is not None:
        return True
    first = select(selections.c.loop).where(
        selections.c.experiment_id == experiment.experiment_id, selections.c.loop == 0
    )
    return tx.execute(first).first() is not None
