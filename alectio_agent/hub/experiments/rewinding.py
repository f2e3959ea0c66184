"""Takes back what a loop gave, so that it runs again: all of it, or from its train on."""

from sqlalchemy import Connection, delete, select, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.holders import forget_partials
from alectio_agent.hub.experiments.labels import keep_asked
from alectio_agent.hub.experiments.parts import drop_unnamed, has_lost_parts
from alectio_agent.hub.experiments.progress import advance, void_infer
from alectio_agent.hub.experiments.recalling import recall
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_experiment,
    change_job,
    experiment_in_state,
    newest_job,
)
from alectio_agent.hub.experiments.records import find_experiment as find
from alectio_agent.hub.store.tables import jobs, results, selections

NOT_CANCELLED = ("running", "waiting", "paused", "finished")


def rewind(tx: Connection, context: Context, name: str, loops: int) -> None:
    """Undo the newest loops, so that they are selected and run again.

    Args:
        tx: A writing transaction.
        context: For memory and workers.
        name: Of the experiment.
        loops: How many; one that is not done yet counts as the first of them.

    Raises:
        ProblemError: `not-found`, or `conflict`: it was cancelled, or has fewer loops.
    """
    experiment = experiment_in_state(tx, name, NOT_CANCELLED, "was not cancelled")
    made = _jobs(tx, experiment)
    if loops > len(made):
        raise ProblemError(
            "conflict",
            f"experiment `{name}`: found {loops} loop{'s' * (loops != 1)} to rewind; it has "
            f"{len(made) or 'none'}. Nothing was changed",
            code="E-EXP-07",
        )
    _undo(tx, context, experiment, made[-loops:])
    if loops == len(made) and experiment.control is not None:
        # The control begins with the batch of its experiment, which is chosen anew.
        control = find(tx, experiment.control)
        if control is not None and control.state != "cancelled":
            _undo(tx, context, control, _jobs(tx, control))


def undo_all(tx: Connection, context: Context, experiment: Experiment) -> None:
    """Undo every loop, so that the experiment begins anew.

    Args:
        tx: A writing transaction.
        context: For memory and workers.
        experiment: Not cancelled.
    """
    _undo(tx, context, experiment, _jobs(tx, experiment))


def take_back(tx: Connection, context: Context, job: Job) -> None:
    """Void what the attempts at a job gave; those that run are stopped by their next beat.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        job: Any.
    """
    recall(tx, context, job)
    voided = update(results).where(results.c.job_id == job.job_id)
    tx.execute(voided.values(is_counted=False, owes_metrics=False))


def _jobs(tx: Connection, experiment: Experiment) -> list[Job]:
    found = select(jobs).where(
        jobs.c.experiment_id == experiment.experiment_id, jobs.c.state != "rewound"
    )
    return [Job(**row) for row in tx.execute(found.order_by(jobs.c.loop)).mappings()]


def _undo(tx: Connection, context: Context, experiment: Experiment, rewound: list[Job]) -> None:
    for job in rewound:
        take_back(tx, context, job)
        forget_partials(tx, experiment, job)
        change_job(tx, job.job_id, state="rewound", lease=None, agent_id=None, ckpt_file=None,
                   problem="", done_at=None)  # fmt: skip
        drop_unnamed(tx, context, job.job_id)
    if rewound:
        if experiment.settings.labels.are_asked_for:
            keep_asked(tx, experiment.experiment_id, rewound[0].loop)
        chosen = delete(selections).where(
            selections.c.experiment_id == experiment.experiment_id,
            selections.c.loop >= rewound[0].loop,
        )
        tx.execute(chosen)
    is_paused = experiment.state == "paused"
    values = {} if is_paused else {"state": "running", "reason": ""}
    change_experiment(tx, experiment.experiment_id, is_over=False, ending="", owed_loop=None,
                      ended_at=None, **values)  # fmt: skip
    before = newest_job(tx, experiment.experiment_id)
    if before is not None and has_lost_parts(tx, context, before.job_id, "infer"):
        void_infer(tx, before)
    advance(tx, context, experiment.experiment_id)
