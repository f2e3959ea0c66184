"""Which experiments ask people for labels, and how far these are: without their samples."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from alectio_agent.hub.experiments.labelling import awaited_labels, take_tally
from alectio_agent.hub.experiments.records import Experiment, experiment_record, newest_job
from alectio_agent.hub.store.tables import experiments

_ASKING = (
    select(experiments)
    .where(func.json_extract(experiments.c.settings, "$.labels.kind") != "known")
    .order_by(experiments.c.position.desc())
)


@dataclass(frozen=True)
class Asking:
    """An experiment whose labels people give.

    Attributes:
        waits_for: Which labels; empty while it waits for none.
        loop: The newest one; None before the first selection.
        asked: Samples of that loop.
        returned: How many of them came back.
        since: When they were asked for.
    """

    name: str
    state: str
    waits_for: str
    loop: int | None = None
    asked: int = 0
    returned: int = 0
    since: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything is still to come."""
        return self.state != "cancelled" and self.returned < self.asked


def list_asking(tx: Connection) -> list[Asking]:
    """All experiments that ask people for labels.

    Args:
        tx: Any transaction.

    Returns:
        Those for which labels are missing first, of these the newest first.
    """
    rows = tx.execute(_ASKING).mappings().all()
    found = [_asking(tx, experiment_record(row)) for row in rows]
    return sorted(found, key=lambda entry: (not entry.waits_for, not entry.is_open))


def _asking(tx: Connection, experiment: Experiment) -> Asking:
    job = newest_job(tx, experiment.experiment_id)
    waits_for = awaited_labels(tx, experiment)
    if job is None:
        return Asking(experiment.name, experiment.state, waits_for)
    tally = take_tally(tx, experiment, job)
    return Asking(
        name=experiment.name,
        state=experiment.state,
        waits_for=waits_for,
        loop=job.loop,
        asked=tally.asked,
        returned=tally.returned,
        since=job.asked_at,
    )
