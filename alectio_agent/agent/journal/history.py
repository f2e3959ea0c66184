"""What an agent did, read from its journal beside it; the agent may run, or be long dead."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alectio_agent.agent.journal.rows import SCHEMA_NUMBER
from alectio_agent.core.sqlite import Row, reading
from alectio_agent.wire.results import JobFailure

JOURNAL = "agent.db"
# A claim may hold a million indices: only what is shown is taken out of it.
_JOBS = """
SELECT lease, job, state, outcome, claimed_at, json_extract(claim, '$.attempt') AS attempt,
    (SELECT json_group_array(json_extract(value, '$.step')) FROM json_each(claim, '$.steps'))
    AS steps
FROM jobs ORDER BY rowid DESC LIMIT ?
"""
_MESSAGES = "SELECT kind, step, state, reason, body FROM messages WHERE lease = ? ORDER BY id"


@dataclass(frozen=True)
class PastJob:
    """One attempt at a job.

    Attributes:
        job: `experiment/loop`.
        state: As in the journal.
        outcome: Of a closed job; empty before.
        steps: All of them, in order.
        done: Those whose result is on disk.
        failure: What was told to the platform; None when nothing failed.
        reason: Why a message was parked or superseded; empty otherwise.
        claimed_at: RFC 3339 in UTC.
    """

    job: str
    attempt: int
    state: Literal["open", "computed", "closed"]
    outcome: str
    steps: tuple[str, ...]
    done: tuple[str, ...]
    failure: JobFailure | None
    reason: str
    claimed_at: str

    @property
    def experiment(self) -> str:
        """Name of the experiment."""
        return self.job.rpartition("/")[0]


def past_jobs(state_dir: Path, limit: int) -> list[PastJob]:
    """The newest jobs of an agent, oldest first.

    Args:
        state_dir: The agent's; it has a journal.
        limit: How many at most.

    Raises:
        StoreError: The journal cannot be read, or a newer version wrote it.
    """
    with reading(state_dir / JOURNAL, SCHEMA_NUMBER) as run:
        if not run("SELECT 1 FROM sqlite_master WHERE name = 'jobs'"):
            return []  # killed while it made its tables
        rows = run(_JOBS, (limit,))
        return [_job(row, run) for row in reversed(rows)]


def _job(row: Row, run: Callable[..., list[Row]]) -> PastJob:
    messages = run(_MESSAGES, (row["lease"],))
    failures = [message["body"] for message in messages if message["kind"] == "fail"]
    return PastJob(
        job=row["job"],
        attempt=int(row["attempt"]),
        state=row["state"],
        outcome=row["outcome"],
        steps=tuple(json.loads(row["steps"])),
        done=tuple(message["step"] for message in messages if message["kind"] == "commit"),
        failure=JobFailure.model_validate_json(failures[-1]) if failures else None,
        reason=next((message["reason"] for message in messages if message["reason"]), ""),
        claimed_at=row["claimed_at"],
    )
