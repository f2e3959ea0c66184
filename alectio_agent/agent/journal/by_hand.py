"""What people do with the outbox: look at it, and send again what was refused."""

from collections.abc import Callable
from dataclasses import dataclass

from alectio_agent.agent.journal.rows import Message
from alectio_agent.core.sqlite import Database, Row

Run = Callable[..., list[Row]]

# Small results have no file: they lie in the message.
_BYTES = """(length(CAST(body AS BLOB)) + coalesce((SELECT sum(json_extract(value, '$.bytes'))
    FROM json_each(CASE WHEN json_valid(body) THEN body ELSE '{}' END, '$.commit.parts')), 0))"""
_ENTRIES = f"""
SELECT messages.id, messages.key, messages.kind, messages.step, messages.state, messages.reason,
    messages.created_at, messages.ended_at, messages.lease, jobs.job, jobs.job_id,
    jobs.platform_id, json_extract(jobs.claim, '$.attempt') AS attempt,
    {_BYTES} AS size_bytes
FROM messages JOIN jobs USING (lease)
WHERE messages.state IN ('pending', 'parked')
    OR (:all AND messages.kind = 'commit' AND messages.body != '')
ORDER BY messages.id
"""  # noqa: S608 - made of constants
_PARKED = f"""
SELECT count(*) AS messages, coalesce(sum({_BYTES}), 0) AS size_bytes
FROM messages WHERE state = 'parked' AND kind = 'commit'
"""  # noqa: S608 - made of constants
_MESSAGE = """
SELECT messages.*, jobs.job_id, jobs.job, jobs.platform_id FROM messages JOIN jobs USING (lease)
WHERE messages.key = :key AND messages.state IN ('pending', 'parked')
    AND jobs.platform_id = :platform_id
"""
_RETRIED = """
SELECT DISTINCT messages.lease FROM messages JOIN jobs USING (lease)
WHERE messages.state = 'parked' AND (:job IS NULL OR jobs.job = :job)
"""


@dataclass(frozen=True)
class Parked:
    """Results that the platform refused.

    Attributes:
        size_bytes: Of their messages and files.
    """

    messages: int = 0
    size_bytes: int = 0


@dataclass(frozen=True)
class Entry:
    """A message of the outbox.

    Attributes:
        kind: `commit` (a result) or `fail`.
        state: `pending`, `parked`, `settled` or `superseded`.
        reason: Why it was parked or superseded; empty otherwise.
        size_bytes: Of the message and its files.
        created_at: When it was queued, RFC 3339 in UTC.
        ended_at: When it left the state `pending`; None before.
    """

    id: int
    key: str
    kind: str
    step: str | None
    state: str
    reason: str
    created_at: str
    ended_at: str | None
    lease: str
    job: str
    job_id: str
    platform_id: str
    attempt: int
    size_bytes: int


def entries(run: Run, *, are_all: bool = False) -> list[Entry]:
    """The messages of a journal, in the order in which they go out.

    Args:
        run: Runs a statement on it.
        are_all: Also the results that were acknowledged or superseded and are still on disk.
    """
    rows = run(_ENTRIES, {"all": are_all})
    return [Entry(**{name: row[name] for name in Entry.__dataclass_fields__}) for row in rows]


def parked(run: Run) -> Parked:
    """Count the results that were refused.

    Args:
        run: Runs a statement on a journal.
    """
    [row] = run(_PARKED)
    return Parked(int(row["messages"]), int(row["size_bytes"]))


class ByHand:
    """Asked by the commands of people, beside the sender."""

    def __init__(self, database: Database) -> None:
        """Look into the journal.

        Args:
            database: The journal's.
        """
        self._database = database

    @property
    def parked(self) -> Parked:
        """The results that were refused."""
        return parked(self._database.query)

    def waiting(self, key: str, platform_id: str) -> Message | None:
        """A message that the platform has not acknowledged.

        Args:
            key: Its idempotency key.
            platform_id: Where it has to go.
        """
        rows = self._database.query(_MESSAGE, {"key": key, "platform_id": platform_id})
        return Message.of(rows[0]) if rows else None

    def ends(self) -> dict[str, tuple[str, str]]:
        """State and reason of every message, by its key."""
        rows = self._database.query("SELECT key, state, reason FROM messages")
        return {row["key"]: (row["state"], row["reason"]) for row in rows}

    def retry(self, job: str | None = None) -> int:
        """Queue what was refused again, with all that was parked behind it.

        A failure that was to tell of the refusal and is still here is dropped.

        Args:
            job: Only of this one; None for all.

        Returns:
            How many results go again.
        """
        count = 0
        with self._database.transaction() as run:
            for row in run(_RETRIED, {"job": job}):
                count += _queue_again(run, row["lease"])
        return count


def _queue_again(run: Run, lease: str) -> int:
    run(
        "UPDATE messages SET state = 'superseded', reason = 'the result goes again' "
        "WHERE lease = ? AND kind = 'fail' AND state IN ('pending', 'parked') "
        "AND json_extract(body, '$.class') = 'rejected'",
        (lease,),
    )
    [refused] = run(
        "SELECT count(*) AS n FROM messages WHERE lease = ? AND state = 'parked'", (lease,)
    )
    run(
        "UPDATE messages SET state = 'pending', reason = '', ended_at = NULL "
        "WHERE lease = ? AND state = 'parked'",
        (lease,),
    )
    run(
        "UPDATE jobs SET state = 'computed', outcome = '' WHERE lease = ? AND state = 'closed'",
        (lease,),
    )
    return int(refused["n"])
