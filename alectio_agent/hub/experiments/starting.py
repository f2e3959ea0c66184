"""An experiment starts when it is known which pipeline runs it, and how large its pool is."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.progress import advance, mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    change_experiment,
    experiment_record,
)
from alectio_agent.hub.experiments.supply import Supply
from alectio_agent.hub.store.tables import experiments, jobs
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.pools import pool_problem

LARGEST_LIST = 500
"""Experiments that a query names; all are looked at where it would be more."""

_BEGUN = select(jobs.c.job_id).where(
    jobs.c.experiment_id == experiments.c.experiment_id,
    jobs.c.state != "rewound",
    or_(jobs.c.loop > 0, jobs.c.attempt > 0),
)
_UNSETTLED = (
    select(experiments)
    .where(
        experiments.c.state.in_(("running", "waiting", "paused")),
        experiments.c.pool_digest.is_(None),
        ~_BEGUN.exists(),
    )
    .order_by(experiments.c.position)
)
"""Experiments that no agent has begun, and whose pool may still become another, or known."""


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

    Args:
        tx: A writing transaction.
        context: Knows who called.
        settings: Of the experiment.

    Returns:
        What is known so far.
    """
    return ground_on(context.supplies.read(tx), settings)


def ground_on(known: Mapping[str, Supply], settings: ExperimentSettings) -> Ground:
    """See what an experiment would stand on.

    Args:
        known: What agents offer, by pipeline.
        settings: Of the experiment.

    Returns:
        What is known so far.
    """
    names = list(known)
    pipeline = settings.pipeline or (names[0] if len(names) == 1 else None)
    if pipeline is None and names:
        problem = (
            f"experiment `{settings.name}` names no pipeline, and the agents run "
            f"{', '.join(names)}. Name one, such as `pipeline: {names[0]}`"
        )
        return Ground(None, settings.pool, None, problem)
    return _ground(settings, pipeline, known.get(pipeline or "", Supply()))


def settle(tx: Connection, context: Context, changed: frozenset[str] | None = None) -> None:
    """Start what waited for an agent; called when one registered, or called for the first time.

    Args:
        tx: A writing transaction.
        context: Knows who called.
        changed: Ids of the only experiments to look at; None looks at all.
    """
    found = _UNSETTLED
    if changed is not None and len(changed) <= LARGEST_LIST:
        found = found.where(experiments.c.experiment_id.in_(changed))
    rows = tx.execute(found).mappings().all()
    known = context.supplies.read(tx) if rows else {}
    for row in rows:
        experiment = experiment_record(row)
        _start(tx, context, experiment, ground_on(known, experiment.settings))


def _start(tx: Connection, context: Context, experiment: Experiment, ground: Ground) -> None:
    """Pin pipeline and pool; of one that has started already only the digest may join."""
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
    supply: Supply,
) -> Ground:
    pool_size = settings.pool or supply.first
    if pool_size is None:
        return Ground(pipeline, None, None)
    problem = pool_problem(settings, pool_size)
    if not problem and supply.most is not None and supply.most < pool_size:
        problem = (
            f"experiment `{settings.name}` asks for a pool of {pool_size:,}; pipeline "
            f"`{pipeline}` has {supply.most:,}. Lower `pool`, or leave it out"
        )
    # A digest over more names than the pool has says nothing about the pool's own.
    return Ground(pipeline, pool_size, supply.digests.get(pool_size), problem)
