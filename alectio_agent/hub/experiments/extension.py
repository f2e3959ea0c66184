"""Experiments that grow: more samples in the pool, more loops."""

from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.editing import control_of, editable, update
from alectio_agent.hub.experiments.losses import next_step
from alectio_agent.hub.experiments.progress import reconsider, void_infer, wants_infer
from alectio_agent.hub.experiments.records import (
    OPEN_ATTEMPTS,
    Attempt,
    Experiment,
    Job,
    change_attempt,
    change_experiment,
    experiment_of,
    newest_job,
    pool_pins,
)
from alectio_agent.hub.experiments.spending import spent_by
from alectio_agent.hub.experiments.supply import offered_size
from alectio_agent.hub.experiments.waiting import make_available
from alectio_agent.hub.store.tables import attempts, offers
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.claims import PoolPin
from alectio_agent.wire.pools import LARGEST_POOL
from alectio_agent.wire.strict_json import dumps


def extend(
    tx: Connection, context: Context, name: str, pool: int | None, loops: int | None
) -> None:
    """Let an experiment have more samples, more loops, or both.

    Args:
        tx: A writing transaction.
        context: For time and workers.
        name: Of the experiment.
        pool: Its new number of samples; None leaves it as it is, but takes what the agents offer
            when `loops` is None too.
        loops: Its new number of loops.

    Raises:
        ProblemError: `not-found`; `conflict`: it was cancelled, is a control, or would not grow, or
            no agent offers so many samples; `invalid`: the pool has too few for so many loops.
    """
    experiment = editable(tx, name)
    if pool is not None or loops is None:
        _extend_pool(tx, context, experiment, pool)
    if loops is not None:
        has = experiment.settings.loops
        if loops <= has:
            raise _not_more(f"experiment `{name}`: found loops {loops}; expected more than {has}")
        update(tx, context, name, experiment.settings.model_copy(update={"loops": loops}))


def _extend_pool(
    tx: Connection, context: Context, experiment: Experiment, wanted: int | None
) -> None:
    name, has = experiment.name, experiment.pool_size
    if has is None:
        raise _not_more(f"experiment `{name}` has not started: its pool is not known yet")
    offered = _offers(tx, context, experiment)
    sizes = [size for row in offered if (size := offered_size(row)) is not None]
    if not sizes:
        raise _not_more(
            f"experiment `{name}`: no agent that offers pipeline `{experiment.pipeline}` has "
            "called since the hub started, so that nobody is known to have more samples. Start "
            "it, then extend"
        )
    size, largest = max(sizes) if wanted is None else wanted, max(sizes)
    if size <= has:
        raise _not_more(
            f"experiment `{name}`: found a pool of {size:,}; expected more than {has:,}"
        )
    if size > largest or size >= LARGEST_POOL:
        raise _not_more(
            f"experiment `{name}`: found a pool of {size:,}; the agents offer {largest:,} for "
            f"pipeline `{experiment.pipeline}`"
        )
    # A digest over more names than the pool has says nothing about the pool's own.
    digest = {row.state_size: row.state_digest for row in offered}.get(size)
    for grown in (experiment, control_of(tx, experiment)):
        if grown is not None:
            _grow(tx, context, grown, PoolPin(size=size, digest=digest))


def _offers(tx: Connection, context: Context, experiment: Experiment) -> list[Row[Any]]:
    rows = tx.execute(select(offers).where(offers.c.pipeline == experiment.pipeline))
    return [row for row in rows if context.contacts.has_called(row.agent_id)]


def _grow(tx: Connection, context: Context, experiment: Experiment, pool: PoolPin) -> None:
    pins = [
        *pool_pins(experiment),
        PoolPin(size=experiment.pool_size or 0, digest=experiment.pool_digest),
    ]
    change_experiment(
        tx,
        experiment.experiment_id,
        pool_size=pool.size,
        pool_digest=pool.digest,
        pool_pins=dumps([pin.model_dump() for pin in pins]),
    )
    grown = experiment_of(tx, experiment.experiment_id)
    job = newest_job(tx, experiment.experiment_id)
    if job is not None and wants_infer(grown, job.loop, spent_by(tx, grown, job)):
        _cut_infer(tx, context, job)
    reconsider(tx, context, experiment.experiment_id)


def _cut_infer(tx: Connection, context: Context, job: Job) -> None:
    """The next selection is made from all of the pool: what infer saw of the old one is void.

    Whoever runs the job now was told of the old pool, so its infer will not count; what it
    trained and tested will.
    """
    void_infer(tx, job)
    running = select(attempts).where(
        attempts.c.job_id == job.job_id, attempts.c.state.in_(OPEN_ATTEMPTS)
    )
    for attempt in [Attempt(**row) for row in tx.execute(running).mappings()]:
        if next_step(tx, attempt) != "infer":
            steps = " ".join(step for step in attempt.steps.split() if step != "infer")
            change_attempt(tx, attempt.lease, steps=steps)
            continue
        change_attempt(tx, attempt.lease, state="recalled", ended_at=context.now())
        after_commit(tx, partial(context.leases.distrust, job.job_id))
        if attempt.lease == job.lease and job.state in ("claimed", "running"):
            make_available(tx, context, job, has_infer=True, fresh_attempt=job.attempt)


def _not_more(message: str) -> ProblemError:
    return ProblemError("conflict", f"{message}. Nothing was changed", code="E-EXP-10")
