"""Which agent an experiment waits for, while none that is heard of can run it."""

import json
from datetime import timedelta

from sqlalchemy import Connection, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.records import Experiment
from alectio_agent.hub.experiments.scheduling import OFFERED_SIZE
from alectio_agent.hub.store.tables import agents, jobs, offers
from alectio_agent.wire.protocol import LEASE_S


def awaited_agent(tx: Connection, context: Context, experiment: Experiment) -> str:
    """Say which agent an experiment waits for.

    Args:
        tx: Any transaction.
        context: Knows who called, and when.
        experiment: Any.

    Returns:
        Such as "an agent that offers pipeline `xray`"; empty when one is there, when an agent has
        its job, or when it would not run anyway.
    """
    if experiment.state != "running" or experiment.is_over or _is_held(tx, experiment):
        return ""
    pipeline = experiment.pipeline or experiment.settings.pipeline
    tags = set(experiment.settings.tags)
    sizes = [size for known, size in _present(tx, context, pipeline) if tags <= known]
    least = experiment.pool_size or 0
    if any(size is None or size >= least for size in sizes):
        return _samples(experiment, pipeline)
    told = "an agent" if pipeline is None else f"an agent that offers pipeline `{pipeline}`"
    if sizes:
        told += f" with {least:,} samples"
    return f"{told} and has the tags {', '.join(sorted(tags))}" if tags else told


def _samples(experiment: Experiment, pipeline: str | None) -> str:
    """An agent is there; perhaps it does not say how many samples it has."""
    if experiment.pool_size is not None or pipeline is None:
        return ""
    return f"an agent that tells how many samples pipeline `{pipeline}` has"


def _is_held(tx: Connection, experiment: Experiment) -> bool:
    held = select(jobs.c.job_id).where(
        jobs.c.experiment_id == experiment.experiment_id,
        jobs.c.state.in_(("claimed", "running")),
    )
    return tx.execute(held).first() is not None


def _present(
    tx: Connection, context: Context, pipeline: str | None
) -> list[tuple[set[str], int | None]]:
    """Tags and samples of each agent that was heard of a moment ago and offers the pipeline."""
    since = context.clock.now() - timedelta(seconds=LEASE_S)
    recent = [of for of, at in context.leases.contacts().items() if at >= since]
    found = select(agents.c.tags, OFFERED_SIZE.label("size")).join(
        offers, offers.c.agent_id == agents.c.agent_id
    )
    if pipeline is not None:
        found = found.where(offers.c.pipeline == pipeline)
    rows = tx.execute(found.where(agents.c.agent_id.in_(recent)))
    return [(set(json.loads(row.tags)), row.size) for row in rows]
