"""Agents as operators and viewers see them: a few queries for all of them."""

import json
from collections import defaultdict

from sqlalchemy import Connection, func, select

from alectio_agent.core.clock import timestamp
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.holders import OFFERED_SIZE
from alectio_agent.hub.experiments.job_views import held_jobs
from alectio_agent.hub.store.tables import REMOVED, agents, attempts, checkpoints, offers
from alectio_agent.wire.operation import AgentView

_OFFERED = select(offers.c.agent_id, offers.c.pipeline, OFFERED_SIZE.label("size")).order_by(
    offers.c.pipeline
)
# The moment stands in front, in a form that sorts, so that the greatest text is the newest one's.
_HELD = (
    select(
        checkpoints.c.agent_id,
        func.count(checkpoints.c.name.distinct()).label("count"),
        func.max(attempts.c.issued_at + " " + checkpoints.c.name).label("newest"),
    )
    .join(attempts, attempts.c.ckpt_file == checkpoints.c.name, isouter=True)
    .group_by(checkpoints.c.agent_id)
)


def list_agents(tx: Connection, context: Context) -> list[AgentView]:
    """All agents that ever registered and were not removed, by name.

    Args:
        tx: Any transaction.
        context: Knows who called, and the newest beats.
    """
    offered: dict[str, dict[str, int | None]] = defaultdict(dict)
    for offer in tx.execute(_OFFERED):
        offered[offer.agent_id][offer.pipeline] = offer.size
    kept = {row.agent_id: row for row in tx.execute(_HELD)}
    held, called = held_jobs(tx, context), context.contacts.moments()
    views = []
    now = context.clock.now()
    there = select(agents).where(agents.c.boot_id != REMOVED)
    for row in tx.execute(there.order_by(agents.c.name, agents.c.agent_id)):
        last = called.get(row.agent_id)
        checkpoint = kept.get(row.agent_id)
        views.append(
            AgentView(
                agent_id=row.agent_id,
                name=row.name,
                version=row.version,
                pipelines=list(offered[row.agent_id]),
                silent_s=(now - last).total_seconds() if last else None,
                registered_at=row.registered_at,
                last_contact_at=timestamp(last) if last else row.last_contact_at,
                pool_sizes=offered[row.agent_id],
                tags=json.loads(row.tags),
                slots=row.slots,
                jobs=held.get(row.agent_id, []),
                checkpoints=checkpoint.count if checkpoint else 0,
                newest_checkpoint=_name(checkpoint.newest) if checkpoint else None,
            )
        )
    return views


def _name(newest: str | None) -> str | None:
    """The checkpoint behind its moment; None when no attempt of this hub wrote it."""
    return None if newest is None else newest.split(" ", 1)[1]
