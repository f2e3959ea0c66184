"""The tables of `agent.db`, and what a row of each says."""

from dataclasses import dataclass
from typing import Literal, Self

from alectio_agent.core.sqlite import Row
from alectio_agent.wire.claims import Claim

SCHEMA_NUMBER = 1
MIGRATIONS: dict[int, tuple[str, ...]] = {}
"""Schema number to the statements that lead to it from the one before."""
TABLES = {"counters", "jobs", "messages", "groups"}
SCHEMA = """
CREATE TABLE counters (boot TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE jobs (
    lease TEXT PRIMARY KEY, platform_id TEXT NOT NULL, job_id TEXT NOT NULL, job TEXT NOT NULL,
    claim TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open', 'computed', 'closed')),
    outcome TEXT NOT NULL DEFAULT '', claimed_at TEXT NOT NULL);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, lease TEXT NOT NULL REFERENCES jobs (lease), kind TEXT NOT NULL,
    step TEXT, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'settled', 'superseded', 'parked')),
    reason TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL, ended_at TEXT);
CREATE INDEX messages_by_state ON messages (state, id);
CREATE INDEX messages_by_lease ON messages (lease);
CREATE TABLE groups (
    pgid INTEGER PRIMARY KEY, start_time INTEGER NOT NULL, marker TEXT NOT NULL)
"""


@dataclass(frozen=True)
class Job:
    """A journalled claim.

    Attributes:
        state: `open` (steps still to do), `computed` (messages still to send) or `closed`.
    """

    claim: Claim
    platform_id: str
    state: str

    @classmethod
    def of(cls, row: Row) -> Self:
        """Read a row; without samples when there is no step left to do.

        Args:
            row: With the columns `claim`, `platform_id` and `state`.
        """
        claim = Claim.model_validate_json(row["claim"])
        is_open = row["state"] == "open"
        return cls(claim if is_open else claim.without_samples(), row["platform_id"], row["state"])


@dataclass(frozen=True)
class Message:
    """A row of the outbox.

    Attributes:
        kind: `commit` or `fail`.
        body: JSON of a `Manifest` for a commit, of a `JobFailure` for a failure.
    """

    id: int
    lease: str
    job_id: str
    job: str
    platform_id: str
    kind: Literal["commit", "fail"]
    step: str | None
    key: str
    body: str

    @classmethod
    def of(cls, row: Row) -> Self:
        """Read a row.

        Args:
            row: With a column for each attribute.
        """
        return cls(*(row[name] for name in cls.__dataclass_fields__))


@dataclass(frozen=True)
class Group:
    """A process group of hooks that was started and not yet seen to end."""

    pgid: int
    start_time: int
    marker: str
