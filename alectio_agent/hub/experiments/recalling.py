"""Ends the attempts at a job from this side: whatever they commit from now on does not count."""

from functools import partial

from sqlalchemy import Connection, update

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.records import OPEN_ATTEMPTS, Job
from alectio_agent.hub.store.tables import attempts
from alectio_agent.hub.store.transactions import after_commit


def recall(tx: Connection, context: Context, job: Job) -> None:
    """End the attempts at a job: none of them will count.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        job: Any.
    """
    running = update(attempts).where(
        attempts.c.job_id == job.job_id, attempts.c.state.in_(OPEN_ATTEMPTS)
    )
    tx.execute(running.values(state="recalled", ended_at=context.now()))
    after_commit(tx, partial(context.leases.drop, job.job_id))
