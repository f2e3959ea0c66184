"""Makes experiments, each once, with their controls."""

from sqlalchemy import Connection, insert

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.ids import new_id
from alectio_agent.hub.experiments.changes import Change, find_changes
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.editing import fixed_keys, loops_tested
from alectio_agent.hub.experiments.progress import mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    find_experiment,
    named_experiment,
    newest_job,
)
from alectio_agent.hub.experiments.starting import Ground, find_ground, pin
from alectio_agent.hub.store.tables import experiments
from alectio_agent.wire.experiment import ExperimentSettings


def create(
    tx: Connection, context: Context, settings: ExperimentSettings, series: str | None = None
) -> None:
    """Make an experiment; the same settings again change nothing.

    Args:
        tx: A writing transaction.
        context: For time and workers.
        settings: From `experiment.yaml`.
        series: The name there, when it is made anew under another.

    Raises:
        ProblemError: `conflict`: one of that name has other settings. `invalid`: the pool has too
            few samples, or it is not clear which pipeline is meant.
    """
    known = find_experiment(tx, settings.name)
    if known is not None:
        _check_same(tx, known, settings)
        return
    ground = find_ground(tx, context, settings)
    if ground.problem:
        raise ProblemError("invalid", ground.problem, code="E-EXP-04")
    control = settings.as_control() if settings.control == "replay" else None
    if control is not None and find_experiment(tx, control.name) is not None:
        raise ProblemError(
            "conflict",
            f"experiment `{control.name}` exists already, so that `{settings.name}` cannot have a "
            "control of that name; expected another name",
            code="E-EXP-05",
        )
    known_by = {"control": control.name if control else None, "series": series}
    _make(tx, context, settings, ground, known_by)
    if control is not None:
        _make(tx, context, control, ground, {"control_of": settings.name})


def _make(
    tx: Connection,
    context: Context,
    settings: ExperimentSettings,
    ground: Ground,
    known_by: dict[str, str | None],
) -> None:
    tx.execute(
        insert(experiments).values(
            experiment_id=new_id(),
            name=settings.name,
            settings=settings.model_dump_json(),
            state="running",
            reason="",
            priority=1 if "control_of" in known_by else 0,
            **known_by,
            is_over=False,
            ending="",
            version=1,
            created_at=context.now(),
        )
    )
    if ground.is_complete:
        pin(tx, context, named_experiment(tx, settings.name), ground)
    mark_changed(tx, context, settings.name)


def _check_same(tx: Connection, known: Experiment, settings: ExperimentSettings) -> None:
    changes = find_changes(known, settings)
    if not changes:
        return
    done = loops_tested(tx, known)
    fixed = fixed_keys(tx, known)
    newest = newest_job(tx, known.experiment_id)
    before = ", ".join(f"{change.key} {change.before}" for change in changes)
    now = ", ".join(f"{change.key} {change.now}" for change in changes)
    raise ProblemError(
        "conflict",
        f"experiment `{known.name}` already ran {done} of {known.settings.loops} loops with "
        f"{before}; experiment.yaml now says {changes[0].now if len(changes) == 1 else now}. "
        "Nothing was changed",
        code="E-EXP-03",
        keys=[change.key for change in changes],
        fixed=[change.key for change in changes if change.key in fixed],
        next_loop=_next_loop(newest, changes),
        loops=known.settings.loops,
    )


def _next_loop(newest: Job | None, changes: list[Change]) -> int:
    """The first loop that the changes would be about."""
    if newest is None:
        return 0
    # How long to wait for labels is also about the loop that waits for them.
    is_at_once = all(change.key.startswith("labels.") for change in changes)
    return newest.loop if is_at_once and newest.state == "labelling" else newest.loop + 1
