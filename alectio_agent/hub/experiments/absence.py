"""Which agent an experiment waits for, while none that is heard of can run it."""

import json
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, bindparam, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.holders import OFFERED_SIZE
from alectio_agent.hub.experiments.records import Experiment
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import agents, jobs, offers
from alectio_agent.wire.protocol import LEASE_S

_IS_HELD = (jobs.c.state == "claimed") | (jobs.c.state == "running")
_ALL_HELD = PreparedQuery(select(jobs.c.experiment_id).where(_IS_HELD))
_HELD_OF = PreparedQuery(
    select(jobs.c.job_id).where(jobs.c.experiment_id == bindparam("of"), _IS_HELD).limit(1)
)
_SIZES = select(
    agents.c.agent_id, agents.c.tags, offers.c.pipeline, OFFERED_SIZE.label("size")
).join(offers, offers.c.agent_id == agents.c.agent_id)
_ALL_SIZES = PreparedQuery(_SIZES)
_SIZES_OF = PreparedQuery(_SIZES.where(offers.c.pipeline == bindparam("of")))
_Present = tuple[set[str], int | None]
"""Tags and samples of an agent that is there."""


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
    if not _may_run(experiment) or _is_held(tx, experiment):
        return ""
    pipeline = experiment.pipeline or experiment.settings.pipeline
    if _is_there(context, experiment, pipeline):
        return ""
    return _told(experiment, pipeline, _present(tx, context, pipeline))


class Attendance:
    """Which agents are there, read once for many experiments."""

    def __init__(self, tx: Connection, context: Context) -> None:
        """Read it.

        Args:
            tx: Any transaction.
            context: Knows who called, and when.
        """
        self._held = set(_ALL_HELD.values(tx))
        self._all: list[_Present] = []
        self._by_pipeline: dict[str, list[_Present]] = defaultdict(list)
        for pipeline, present in _read(tx, context, None):
            self._all.append(present)
            self._by_pipeline[pipeline].append(present)

    def awaited_by(self, experiment: Experiment) -> str:
        """Say which agent an experiment waits for, as `awaited_agent` does.

        Args:
            experiment: Any.
        """
        if not _may_run(experiment) or experiment.experiment_id in self._held:
            return ""
        pipeline = experiment.pipeline or experiment.settings.pipeline
        return _told(
            experiment, pipeline, self._all if pipeline is None else self._by_pipeline[pipeline]
        )


def _may_run(experiment: Experiment) -> bool:
    return experiment.state == "running" and not experiment.is_over


def _told(experiment: Experiment, pipeline: str | None, present: list[_Present]) -> str:
    tags = set(experiment.settings.tags)
    sizes = [size for known, size in present if tags <= known]
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


def _is_there(context: Context, experiment: Experiment, pipeline: str | None) -> bool:
    """Whether memory knows an agent for a pool that is known: mostly the first that it looks at.

    The tables know it as well, but with thousands of agents a look through them takes long.
    """
    if experiment.pool_size is None or pipeline is None:
        return False
    tags = set(experiment.settings.tags)
    for agent_id in context.contacts.within(LEASE_S):
        kind = context.roll.kind_of(agent_id)
        if kind is not None and tags <= kind.tags and pipeline in kind.pipelines:
            size = kind.size_of(pipeline)
            if size is None or size >= experiment.pool_size:
                return True
    return False


def _is_held(tx: Connection, experiment: Experiment) -> bool:
    return _HELD_OF.row(tx, of=experiment.experiment_id) is not None


def _present(tx: Connection, context: Context, pipeline: str | None) -> list[_Present]:
    return [present for _, present in _read(tx, context, pipeline)]


def _read(tx: Connection, context: Context, pipeline: str | None) -> Iterator[tuple[str, _Present]]:
    """Tags and samples of each agent that was heard of a moment ago, with a pipeline it offers."""
    recent = set(context.contacts.within(LEASE_S))
    found = _ALL_SIZES.rows(tx) if pipeline is None else _SIZES_OF.rows(tx, of=pipeline)
    for row in found:
        if row["agent_id"] in recent:
            yield row["pipeline"], (set(json.loads(row["tags"])), row["size"])
