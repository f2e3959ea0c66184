"""Loops that wait for people's labels, and what lets them go on."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.indices import chosen_up_to, unpack
from alectio_agent.hub.experiments.labels import label_states, newest_position
from alectio_agent.hub.experiments.progress import mark_changed, wants_infer
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    experiment_of,
    newest_job,
)
from alectio_agent.hub.experiments.spending import spent_by
from alectio_agent.hub.experiments.waiting import make_available
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import jobs, selections
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.operation import LoopView

_BATCH = select(selections.c.indices).where(
    selections.c.experiment_id == bindparam("of"), selections.c.loop == bindparam("at")
)
_LABELLING = PreparedQuery(select(jobs).where(jobs.c.state == "labelling"))


@dataclass(frozen=True)
class Tally:
    """How far people are with a batch.

    Attributes:
        asked: Samples of the batch.
        returned: Those that came back, with a label or excluded.
        needed: So many let the loop go on.
        labelled: Samples with a label, of all batches up to this one.
    """

    asked: int
    returned: int
    needed: int
    labelled: int

    @property
    def missing(self) -> int:
        """Samples that did not come back."""
        return self.asked - self.returned


def take_tally(tx: Connection, experiment: Experiment, job: Job) -> Tally:
    """Count what is there for a loop.

    Args:
        tx: Any transaction.
        experiment: That asks people.
        job: Of the loop.
    """
    of = experiment.experiment_id
    batch = unpack(tx.execute(_BATCH, {"of": of, "at": job.loop}).scalar_one())
    states = label_states(tx, of)
    return Tally(
        asked=len(batch),
        returned=sum(sample in states for sample in batch),
        needed=experiment.settings.labels.needed_of(len(batch)),
        labelled=sum(states.get(sample, False) for sample in chosen_up_to(tx, of, job.loop)),
    )


def ask(tx: Connection, context: Context, experiment_id: str) -> None:
    """Wait for the labels of the newest batch, unless they are there.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        experiment_id: Whose; its newest job was just made, or what it waits for changed.
    """
    after_commit(tx, context.leases.stay_awake)
    consider(tx, context, experiment_id)


def consider(
    tx: Connection, context: Context, experiment_id: str, tally: Tally | None = None
) -> bool:
    """Let the newest loop go on when enough of its labels are there.

    From then on it is settled which labels it trains on. May be called at any time.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        experiment_id: Whose; a paused one goes on waiting, so that labels can still be mended.
        tally: Of its newest job, when it is at hand: all labels are read for it.

    Returns:
        Whether it goes on now.
    """
    experiment, job = experiment_of(tx, experiment_id), newest_job(tx, experiment_id)
    if job is None or job.state != "labelling" or experiment.state != "running":
        return False
    tally = tally or take_tally(tx, experiment, job)
    is_enough = tally.returned >= tally.needed or _is_time_up(context, experiment, job)
    if tally.labelled == 0 or not is_enough:
        return False
    has_infer = wants_infer(experiment, job.loop, spent_by(tx, experiment, job))
    upto = newest_position(tx, experiment_id)
    values = {"labelled": tally.labelled, "labels_upto": upto, "has_infer": has_infer}
    make_available(tx, context, job, **values)
    mark_changed(tx, context, experiment.name)
    return True


def look_at_times(tx: Connection, context: Context) -> bool:
    """Let loops go on whose `timeout` has passed.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.

    Returns:
        Whether one still waits that has a `timeout`, so that the clock must be looked at again.
    """
    is_needed = False
    for row in _LABELLING.rows(tx):
        job = Job(**row)
        experiment = experiment_of(tx, job.experiment_id)
        if experiment.state != "running" or experiment.settings.labels.timeout is None:
            continue
        if _is_time_up(context, experiment, job):
            # Without any label at all it waits for the first one, and not for the clock.
            consider(tx, context, job.experiment_id)
        else:
            is_needed = True
    return is_needed


def awaited_labels(tx: Connection, experiment: Experiment, tally: Tally | None = None) -> str:
    """Say which labels an experiment waits for.

    Args:
        tx: Any transaction.
        experiment: Any.
        tally: Of its newest job, when it is at hand.

    Returns:
        Such as "labels of 18 of 30 samples of loop 3, since 2026-11-25 14:03 UTC"; empty when it
        waits for none.
    """
    if experiment.state != "running" or not experiment.settings.labels.are_asked_for:
        return ""
    job = newest_job(tx, experiment.experiment_id)
    if job is None or job.state != "labelling":
        return ""
    tally = tally or take_tally(tx, experiment, job)
    samples = f"{tally.asked:,} sample{'' if tally.asked == 1 else 's'} of loop {job.loop}"
    since = f"since {(job.asked_at or '')[:16].replace('T', ' ')} UTC"
    if tally.labelled == 0 and tally.returned >= tally.needed:
        return (
            f"a label: {tally.returned:,} of {samples} are excluded, and none has one, {since} "
            f"(`alectio-agent experiment rewind {experiment.name}` chooses others)"
        )
    more = max(tally.needed - tally.returned, 1)
    enough = "" if more == tally.missing else f" ({more:,} more are enough)"
    return f"labels of {tally.missing:,} of {samples}{enough}, {since}"


def with_labels(
    tx: Connection, experiment: Experiment, loops: list[tuple[Job, LoopView]]
) -> list[tuple[Job, LoopView]]:
    """Add how many labels of each batch came back.

    Args:
        tx: Any transaction.
        experiment: Of the loops.
        loops: Jobs and their views.

    Returns:
        The same, when nobody is asked for labels.
    """
    if not loops or not experiment.settings.labels.are_asked_for:
        return loops
    states = label_states(tx, experiment.experiment_id)
    found = []
    for job, view in loops:
        returned = sum(sample in states for sample in view.selected)
        told = {"asked": len(view.selected), "returned": returned, "asked_at": job.asked_at}
        found.append((job, view.model_copy(update=told)))
    return found


def _is_time_up(context: Context, experiment: Experiment, job: Job) -> bool:
    timeout = experiment.settings.labels.timeout
    if timeout is None or job.asked_at is None:
        return False
    waited = context.clock.now() - datetime.fromisoformat(job.asked_at)
    return waited.total_seconds() >= timeout
