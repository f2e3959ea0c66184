"""Puts an attempt back into a journal that has lost it, from what its results say."""

from collections.abc import Sequence
from dataclasses import dataclass

from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.core.sqlite import Database
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import JobFailure

_JOB = """
INSERT INTO jobs (lease, platform_id, job_id, job, claim, state, claimed_at)
VALUES (?, ?, ?, ?, ?, 'computed', ?)
"""
_MESSAGE = """
INSERT OR IGNORE INTO messages (lease, kind, step, key, body, state, reason, created_at, ended_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True)
class FoundAttempt:
    """An attempt of which only results are left.

    Attributes:
        claim: Without samples.
        whole: The results from the attempt's first step on, without a gap, in order.
        behind: Those behind a gap: nobody takes them any more.
        gap: The first step without a result; None when there is none.
        failure: Hands the job back; None when all results are there.
    """

    claim: Claim
    platform_id: str
    whole: Sequence[Manifest]
    behind: Sequence[Manifest]
    gap: str | None
    failure: JobFailure | None


def put_attempt(database: Database, found: FoundAttempt, now: str) -> None:
    """Make the rows of an attempt, durably, all or none: its messages in their order.

    Args:
        database: The journal's; it does not know the lease.
        found: The attempt.
        now: Timestamp of the rows.
    """
    claim, lease = found.claim, found.claim.lease
    reason = f"the result of {found.gap}, which comes before it, cannot be used any more"
    with database.transaction() as run:
        claimed = claim.model_dump_json()
        run(_JOB, (lease, found.platform_id, claim.job_id, claim.job, claimed, now))
        for manifest in found.whole:
            run(_MESSAGE, (*_row(manifest), "pending", "", now, None))
        for manifest in found.behind:
            run(_MESSAGE, (*_row(manifest), "parked", reason, now, now))
        if found.failure is not None:
            body = found.failure.model_dump_json(by_alias=True)
            key, step = found.failure.key, found.failure.step
            run(_MESSAGE, (lease, "fail", step, key, body, "pending", "", now, None))


def _row(manifest: Manifest) -> tuple[str, ...]:
    return manifest.lease, "commit", manifest.step, manifest.commit.key, manifest.text
