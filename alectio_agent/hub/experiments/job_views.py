"""Jobs that are not done, with how far the running ones are."""

from typing import Any

from sqlalchemy import Connection, Row, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.store.tables import agents, attempts, experiments, jobs
from alectio_agent.wire.operation import JobView

HELD = ("claimed", "running")
_OPEN = (
    select(
        jobs,
        experiments.c.name,
        agents.c.name.label("agent"),
        attempts.c.started_at.label("started_at"),
    )
    .join(experiments, experiments.c.experiment_id == jobs.c.experiment_id)
    .join(agents, agents.c.agent_id == jobs.c.agent_id, isouter=True)
    .join(attempts, attempts.c.lease == jobs.c.lease, isouter=True)
    .where(
        jobs.c.state.not_in(("done", "rewound")),
        experiments.c.state.not_in(("cancelled", "finished")),
    )
    .order_by(jobs.c.position)
)


def list_jobs(tx: Connection, context: Context, name: str | None = None) -> list[JobView]:
    """All jobs that are not done, oldest first.

    Args:
        tx: Any transaction.
        context: Knows the newest beats.
        name: Of one experiment, for its jobs alone.
    """
    found = _OPEN if name is None else _OPEN.where(experiments.c.name == name)
    return [job_view(context, row) for row in tx.execute(found)]


def held_jobs(tx: Connection, context: Context) -> dict[str, list[JobView]]:
    """What each agent has in hand.

    Args:
        tx: Any transaction.
        context: Knows the newest beats.

    Returns:
        Id of the agent to its jobs.
    """
    held: dict[str, list[JobView]] = {}
    for row in tx.execute(_OPEN.where(jobs.c.state.in_(HELD))):
        held.setdefault(row.agent_id, []).append(job_view(context, row))
    return held


def job_view(context: Context, row: Row[Any]) -> JobView:
    """A job as it is shown.

    Args:
        context: Knows the newest beats.
        row: Of the job, with `name`, `agent` and `started_at`.
    """
    is_held, is_running = row.state in HELD, row.state == "running"
    beat = context.leases.newest_beat(row.lease) if row.lease and is_running else None
    return JobView(
        job=f"{row.name}/{row.loop}",
        job_id=row.job_id,
        state=row.state,
        attempt=row.attempt,
        agent=row.agent if is_held else None,
        step=beat.step if beat else None,
        problem=row.problem,
        progress=beat.progress if beat else None,
        started_at=row.started_at if is_held else None,
        left_s=context.leases.left_s(row.lease) if beat else None,
    )
