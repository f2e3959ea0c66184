"""Settings that change while an experiment lives, from its next selection on."""

import logging

from sqlalchemy import Connection, func, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.changes import find_changes
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.labelling import ask
from alectio_agent.hub.experiments.labels import forget_labels, newest_position
from alectio_agent.hub.experiments.progress import reconsider
from alectio_agent.hub.experiments.records import (
    Experiment,
    change_experiment,
    experiment_in_state,
    find_experiment,
    named_experiment,
    newest_job,
)
from alectio_agent.hub.experiments.rewinding import undo_all
from alectio_agent.hub.experiments.spending import spent_by
from alectio_agent.hub.experiments.starting import Ground, find_ground, pin
from alectio_agent.hub.store.tables import jobs, results
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.pools import pool_problem

log = logging.getLogger(__name__)

FIXED = frozenset(
    {
        "name", "pipeline", "task", "classes", "output", "pool", "seed", "initial", "labels",
        "control",
    }
)  # fmt: skip
"""What samples and scores mean must stay the same over all loops."""
ALWAYS_FIXED = frozenset({"name", "control"})
"""Other experiments know it by these."""
MEANING = frozenset({"pipeline", "task", "classes", "pool"})
"""What labels are about."""

_UNPINNED: dict[str, object] = {
    "pipeline": None, "pool_size": None, "pool_digest": None, "pool_pins": "[]",
}  # fmt: skip


def update(tx: Connection, context: Context, name: str, settings: ExperimentSettings) -> None:
    """Go on with other settings; the same ones change nothing.

    While no loop is done, what samples and scores mean may change too: the experiment then begins
    anew.

    Args:
        tx: A writing transaction.
        context: For time and workers.
        name: Of the experiment.
        settings: All of them; a selection that was made stays as it is.

    Raises:
        ProblemError: `not-found`; `conflict`: it was cancelled, is a control, or one of the keys
            cannot change; `invalid`: the pool has too few samples.
    """
    experiment = editable(tx, name)
    changes = find_changes(experiment, settings)
    fixed = [change for change in changes if change.key in fixed_keys(tx, experiment)]
    if fixed:
        told = ", ".join(f"{change.key} from {change.before} to {change.now}" for change in fixed)
        raise ProblemError(
            "conflict",
            f"experiment `{name}` cannot change {told}. Nothing was changed",
            code="E-EXP-06",
            keys=[change.key for change in fixed],
        )
    if changes:
        apply = _begin_anew if FIXED.intersection(each.key for each in changes) else _apply
        apply(tx, context, experiment, settings)
        control = control_of(tx, experiment)
        if control is not None:
            apply(tx, context, control, settings.as_control())


def fixed_keys(tx: Connection, experiment: Experiment) -> frozenset[str]:
    """The settings that cannot change any more.

    Args:
        tx: Any transaction.
        experiment: As it is.
    """
    done = select(func.count()).where(
        jobs.c.experiment_id == experiment.experiment_id, jobs.c.state == "done"
    )
    return FIXED if tx.execute(done).scalar_one() else ALWAYS_FIXED


def loops_tested(tx: Connection, experiment: Experiment) -> int:
    """How many loops have a result of `test` that counts.

    Args:
        tx: Any transaction.
        experiment: Any.
    """
    tested = (
        select(func.count())
        .select_from(results)
        .join(jobs, jobs.c.job_id == results.c.job_id)
        .where(
            jobs.c.experiment_id == experiment.experiment_id,
            results.c.is_counted,
            results.c.step == "test",
        )
    )
    return int(tx.execute(tested).scalar_one())


def editable(tx: Connection, name: str) -> Experiment:
    """An experiment that may be changed.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`, or `conflict`: it was cancelled, or is a control.
    """
    states = ("running", "waiting", "paused", "finished")
    experiment = experiment_in_state(tx, name, states, "was not cancelled")
    if experiment.control_of is not None:
        raise ProblemError(
            "conflict",
            f"experiment `{name}` is the control of `{experiment.control_of}` and changes with "
            "it; expected the name of that one",
        )
    return experiment


def control_of(tx: Connection, experiment: Experiment) -> Experiment | None:
    """The control that changes with an experiment.

    Args:
        tx: Any transaction.
        experiment: Any.

    Returns:
        None without one, and when it was cancelled.
    """
    found = None if experiment.control is None else find_experiment(tx, experiment.control)
    return None if found is None or found.state == "cancelled" else found


def _begin_anew(
    tx: Connection, context: Context, experiment: Experiment, settings: ExperimentSettings
) -> None:
    """Forget pipeline, pool and selections; what runs is stopped, what it gives does not count.

    Labels by people are kept as long as they mean the same.
    """
    ground = find_ground(tx, context, settings)
    if ground.problem:
        raise ProblemError("invalid", f"{ground.problem}. Nothing was changed", code="E-EXP-04")
    has_labels = newest_position(tx, experiment.experiment_id) > 0
    hold = _labels_hold(experiment, settings, ground)
    # What is labelled stays what it is: without an agent to compare with, the pool stays pinned.
    stays_pinned = has_labels and hold and not ground.is_complete
    values: dict[str, object] = {} if stays_pinned else _UNPINNED
    change_experiment(tx, experiment.experiment_id, settings=settings.model_dump_json(), **values)
    undo_all(tx, context, experiment)
    if not (hold and (ground.is_complete or has_labels)):
        _forget_labels(tx, experiment)
    if ground.is_complete:
        pin(tx, context, named_experiment(tx, experiment.name), ground)


def _labels_hold(experiment: Experiment, settings: ExperimentSettings, ground: Ground) -> bool:
    """Whether labels mean the same as before: of the same samples, and the same classes."""
    if MEANING.intersection(change.key for change in find_changes(experiment, settings)):
        return False
    if not ground.is_complete or experiment.pool_size is None:
        return True
    told = (experiment.pool_digest, ground.digest)
    is_same = None in told or told[0] == told[1]
    where = (experiment.pipeline, experiment.pool_size)
    return is_same and where == (ground.pipeline, ground.pool_size)


def _forget_labels(tx: Connection, experiment: Experiment) -> None:
    count = forget_labels(tx, experiment.experiment_id)
    if count:
        told = "experiment %s: begun anew with other samples or classes; %d labels count no more"
        log.warning(told, experiment.name, count)


def _apply(
    tx: Connection, context: Context, experiment: Experiment, settings: ExperimentSettings
) -> None:
    # The size of an extended pool is not news, and what the file said of it stays.
    kept = settings.model_copy(update={"pool": experiment.settings.pool})
    ground = find_ground(tx, context, kept)
    newest = newest_job(tx, experiment.experiment_id)
    made, chosen = (newest.loop + 1 if newest else 0), spent_by(tx, experiment, newest).chosen
    problem = ground.problem
    if experiment.pool_size is not None:
        problem = pool_problem(kept, experiment.pool_size, made, chosen)
    if problem:
        raise ProblemError("invalid", f"{problem}. Nothing was changed", code="E-EXP-04")
    change_experiment(tx, experiment.experiment_id, settings=kept.model_dump_json())
    if experiment.pool_size is None and ground.is_complete:
        pin(tx, context, experiment, ground)
    reconsider(tx, context, experiment.experiment_id)
    ask(tx, context, experiment.experiment_id)
