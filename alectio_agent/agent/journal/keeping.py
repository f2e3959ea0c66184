"""What the journal knows of results that may go, and of those that must stay."""

from collections.abc import Callable
from dataclasses import dataclass

from alectio_agent.core.sqlite import Database, Row

AT_ONCE = 200
"""Changed in one transaction: nobody should wait long for the database."""
MOST_LOOKED_AT = 1000
"""Of the oldest jobs, for those that may be forgotten."""

# An empty body of a commit, no step of a failure: the files are gone. What was parked waits for a
# person, and stays, and so does what a failed step has left if its result is there as well.
# In the order in which they were queued, so that a look for the oldest ends early: of results that
# are kept for a week there may be hundreds of thousands behind them.
_ENDED = """
SELECT messages.lease, messages.step, messages.ended_at FROM messages CROSS JOIN jobs USING (lease)
WHERE +messages.state IN ('settled', 'superseded') AND messages.step IS NOT NULL
    AND messages.body != '' AND jobs.state = 'closed'
    AND (messages.kind = 'commit' OR NOT EXISTS (
        SELECT 1 FROM messages AS result WHERE result.lease = messages.lease
        AND result.step = messages.step AND result.kind = 'commit'))
ORDER BY messages.id LIMIT :most
"""
_GONE = """
UPDATE messages SET body = CASE kind WHEN 'commit' THEN '' ELSE body END,
    step = CASE kind WHEN 'commit' THEN step END
WHERE lease = ? AND step = ?
"""
_FORGET = """
SELECT lease FROM (
    SELECT lease FROM jobs WHERE state = 'closed' AND rowid < (
        SELECT min(rowid) FROM (
            SELECT rowid FROM jobs WHERE state = 'closed' ORDER BY rowid DESC LIMIT :kept))
    AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.lease = jobs.lease
        AND messages.state IN ('pending', 'parked'))
    ORDER BY rowid LIMIT :looked) AS oldest
WHERE NOT EXISTS (SELECT 1 FROM messages WHERE messages.lease = oldest.lease
    AND messages.step IS NOT NULL AND messages.body != '')
LIMIT :most
"""


@dataclass(frozen=True)
class EndedResult:
    """A result of a closed job that the platform has, or that another attempt's stands for.

    Attributes:
        ended_at: RFC 3339 in UTC.
    """

    lease: str
    step: str
    ended_at: str


class Keeping:
    """Asked by whoever removes files."""

    def __init__(self, database: Database) -> None:
        """Look into the journal.

        Args:
            database: The journal's.
        """
        self._database = database

    def ended(self, most: int | None = None) -> list[EndedResult]:
        """The results that may go, the longest acknowledged first; what failed steps left, too.

        Those that were not acknowledged, or that the platform refused, are not among them.

        Args:
            most: So many of the first; None for all.
        """
        rows = self._database.query(_ENDED, {"most": -1 if most is None else most})
        return [EndedResult(row["lease"], row["step"], row["ended_at"]) for row in rows]

    def note_gone(self, results: list[EndedResult]) -> None:
        """Remember that the files of some results are no longer there.

        Args:
            results: As from `ended`, and durably removed: without its job in the journal, a result
                that a power cut brings back would be sent again. One that was not noted, after a
                crash, is told again.
        """
        for at in range(0, len(results), AT_ONCE):
            with self._database.transaction(is_synced=False) as run:
                for result in results[at : at + AT_ONCE]:
                    run(_GONE, (result.lease, result.step))

    def jobs_in_hand(self) -> set[str]:
        """All that is not closed, as `experiment/loop`: their logs are still in use."""
        rows = self._database.query("SELECT job FROM jobs WHERE state != 'closed'")
        return {str(row["job"]) for row in rows}

    def forget_jobs(self, kept: int) -> int:
        """Forget the oldest of the jobs that are over and have no file left.

        Args:
            kept: So many of the newest closed jobs stay.

        Returns:
            How many are gone.
        """
        with self._database.transaction(is_synced=False) as run:
            leases = [
                row["lease"]
                for row in run(_FORGET, {"kept": kept, "most": AT_ONCE, "looked": MOST_LOOKED_AT})
            ]
            for lease in leases:
                _delete(run, lease)
        return len(leases)


def _delete(run: Callable[..., list[Row]], lease: str) -> None:
    run("DELETE FROM messages WHERE lease = ?", (lease,))
    run("DELETE FROM jobs WHERE lease = ?", (lease,))
