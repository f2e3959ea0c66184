"""Metrics of counted tests: what is owed, and what is stored."""

import json
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from alectio_agent.hub.store.prepared import PreparedChange, PreparedQuery
from alectio_agent.hub.store.tables import jobs, results
from alectio_agent.wire.strict_json import dumps

_OWING = PreparedQuery(
    select(results.c.lease)
    .join(jobs, jobs.c.job_id == results.c.job_id)
    .where(results.c.owes_metrics, jobs.c.experiment_id == bindparam("of"))
    .limit(1)
)
_NEXT_OWING = PreparedQuery(
    select(results.c.lease, results.c.job_id)
    .where(results.c.owes_metrics)
    .order_by(results.c.received_at)
    .limit(1)
)

_STORE = PreparedChange(
    update(results).where(
        results.c.lease == bindparam("of"), results.c.step == "test", results.c.owes_metrics
    )
)


def owes_metrics(tx: Connection, experiment_id: str) -> bool:
    """Whether a counted test of an experiment has no metrics yet.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
    """
    return _OWING.row(tx, of=experiment_id) is not None


def next_owing(tx: Connection) -> tuple[str, str] | None:
    """The oldest counted test without metrics.

    Args:
        tx: Any transaction.

    Returns:
        Lease and job; None when no metrics are owed.
    """
    row = _NEXT_OWING.row(tx)
    return None if row is None else (row["lease"], row["job_id"])


def counted_metrics(tx: Connection, experiment_id: str, first: int) -> dict[int, dict[str, float]]:
    """Metrics of the loops from one on, as far as they are there.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
        first: The first loop.

    Returns:
        Loop to metrics, in order.
    """
    rows = tx.execute(
        select(jobs.c.loop, results.c.metrics)
        .join(jobs, jobs.c.job_id == results.c.job_id)
        .where(
            jobs.c.experiment_id == experiment_id,
            jobs.c.loop >= first,
            results.c.step == "test",
            results.c.is_counted,
            results.c.metrics.is_not(None),
        )
        .order_by(jobs.c.loop)
    )
    return {row.loop: json.loads(row.metrics)["metrics"] for row in rows}


def store_metrics(tx: Connection, lease: str, found: dict[str, Any]) -> bool:
    """Keep the metrics of a test.

    Args:
        tx: A writing transaction.
        lease: Of the attempt that tested.
        found: `metrics`, `per_class`, `confusion`, `calibration`, `warnings`, and `error` when they
            could not be computed.

    Returns:
        Whether they were owed; a result that was voided meanwhile needs none.
    """
    return _STORE.run(tx, of=lease, metrics=dumps(found), owes_metrics=False) == 1
