"""An experiment starts when it is known which pipeline runs it, and how large its pool is."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.progress import advance, mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    change_experiment,
    experiment_record,
    newest_job,
)
from alectio_agent.hub.store.tables import agents, experiments, offers
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.pools import pool_problem


@dataclass(frozen=True)
class Ground:
    """What an experiment would stand on.

    Attributes:
        pipeline: None while it is not known.
        pool_size: None while it is not known.
        digest: Over the names of exactly that pool; None when no agent has told it.
        problem: Why it cannot be run; empty when it can, or when too little is known.
    """

    pipeline: str | None
    pool_size: int | None
    digest: str | None
    problem: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the experiment can start."""
        return self.pipeline is not None and self.pool_size is not None and not self.problem


def find_ground(tx: Connection, context: Context, settings: ExperimentSettings) -> Ground:
    """See what the agents offer an experiment.

    Agents that have not called this process are left out: what they registered, perhaps months
    ago, may no longer be so.

    Args:
        tx: Any transaction.
        context: Knows who called.
        settings: Of the experiment.

    Returns:
        What is known so far.
    """
    rows = tx.execute(
        select(offers)
        .join(agents, agents.c.agent_id == offers.c.agent_id)
        .order_by(agents.c.registered_at, agents.c.agent_id)
    ).all()
    known = [row for row in rows if context.leases.has_called(row.agent_id)]
    names = sorted({row.pipeline for row in known})
    pipeline = settings.pipeline or (names[0] if len(names) == 1 else None)
    if pipeline is None and names:
        problem = (
            f"experiment `{settings.name}` names no pipeline, and the agents run "
            f"{', '.join(names)}. Name one, such as `pipeline: {names[0]}`"
        )
        return Ground(None, settings.pool, None, problem)
    mine = [row for row in known if row.pipeline == pipeline]
    sizes = [size for row in mine if (size := offered_size(row)) is not None]
    return _ground(settings, pipeline, sizes, {row.state_size: row.state_digest for row in mine})


def offered_size(offer: Row[Any]) -> int | None:
    """How many samples an agent has for a pipeline.

    Args:
        offer: Row of the table of offers.

    Returns:
        None when it leaves that to the experiment.
    """
    size: int | None = offer.state_size if offer.pool_size is None else offer.pool_size
    return size


def settle(tx: Connection, context: Context) -> None:
    """Start what waited for an agent; called when one registered, or called for the first time.

    Args:
        tx: A writing transaction.
        context: Knows who called.
    """
    unsettled = select(experiments).where(
        experiments.c.state.in_(("running", "waiting", "paused")),
        experiments.c.pool_digest.is_(None),
    )
    for row in tx.execute(unsettled.order_by(experiments.c.position)).mappings().all():
        try_start(tx, context, experiment_record(row))


def try_start(tx: Connection, context: Context, experiment: Experiment) -> None:
    """Pin pipeline and pool of an experiment, as far as no agent has begun it.

    Args:
        tx: A writing transaction.
        context: Knows who called.
        experiment: Perhaps started already: then only the digest of its pool may join.
    """
    newest = newest_job(tx, experiment.experiment_id)
    if newest is not None and (newest.loop > 0 or newest.attempt > 0):
        return
    ground = find_ground(tx, context, experiment.settings)
    is_started = experiment.pipeline is not None and experiment.pool_size is not None
    if is_started:
        _pin_digest(tx, experiment, ground)
    elif ground.is_complete:
        pin(tx, context, experiment, ground)
    elif ground.problem and experiment.reason != ground.problem:
        values = {"state": "waiting", "reason": ground.problem}
        change_experiment(tx, experiment.experiment_id, **values)
        mark_changed(tx, context, experiment.name)


def pin(tx: Connection, context: Context, experiment: Experiment, ground: Ground) -> None:
    """Start an experiment: from here on its pool stays what it is.

    Args:
        tx: A writing transaction.
        context: For the worker that makes the selection.
        experiment: Not started.
        ground: Complete.
    """
    state = "running" if experiment.state == "waiting" else experiment.state
    change_experiment(
        tx,
        experiment.experiment_id,
        pipeline=ground.pipeline,
        pool_size=ground.pool_size,
        pool_digest=ground.digest,
        state=state,
        reason="",
    )
    advance(tx, context, experiment.experiment_id)


def _pin_digest(tx: Connection, experiment: Experiment, ground: Ground) -> None:
    if ground.digest is not None and ground.pool_size == experiment.pool_size:
        change_experiment(tx, experiment.experiment_id, pool_digest=ground.digest)


def _ground(
    settings: ExperimentSettings,
    pipeline: str | None,
    sizes: list[int],
    digests: dict[int | None, str | None],
) -> Ground:
    pool_size = settings.pool or (sizes[0] if sizes else None)
    if pool_size is None:
        return Ground(pipeline, None, None)
    problem = pool_problem(settings, pool_size)
    if not problem and sizes and max(sizes) < pool_size:
        problem = (
            f"experiment `{settings.name}` asks for a pool of {pool_size:,}; pipeline "
            f"`{pipeline}` has {max(sizes):,}. Lower `pool`, or leave it out"
        )
    # A digest over more names than the pool has says nothing about the pool's own.
    return Ground(pipeline, pool_size, digests.get(pool_size), problem)
