"""What the journal knows of results that may go, and of those that must stay."""

from collections.abc import Callable
from dataclasses import dataclass

from alectio_agent.core.sqlite import Database, Row

AT_ONCE = 200
"""Jobs that are forgotten in one transaction: nobody should wait long for the database."""

# An empty body: its files are gone. What was parked waits for a person, and stays.
_ENDED = """
SELECT messages.lease, messages.step, messages.ended_at FROM messages JOIN jobs USING (lease)
WHERE messages.state IN ('settled', 'superseded') AND messages.kind = 'commit'
    AND messages.body != '' AND jobs.state = 'closed'
ORDER BY messages.ended_at, messages.id
"""
_FORGET = """
SELECT lease FROM jobs WHERE state = 'closed' AND rowid < (
    SELECT min(rowid) FROM (
        SELECT rowid FROM jobs WHERE state = 'closed' ORDER BY rowid DESC LIMIT :kept))
AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.lease = jobs.lease AND (
    messages.state IN ('pending', 'parked') OR (messages.kind = 'commit' AND messages.body != '')))
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

    def ended(self) -> list[EndedResult]:
        """The results that may go, the longest acknowledged first.

        Those that were not acknowledged, or that the platform refused, are not among them.
        """
        rows = self._database.query(_ENDED)
        return [EndedResult(row["lease"], row["step"], row["ended_at"]) for row in rows]

    def note_gone(self, results: list[EndedResult]) -> None:
        """Remember that the files of some results are no longer there.

        Args:
            results: As from `ended`. One that was not noted, after a crash, is told again.
        """
        with self._database.transaction(is_synced=False) as run:
            for result in results:
                run(
                    "UPDATE messages SET body = '' "
                    "WHERE lease = ? AND step = ? AND kind = 'commit'",
                    (result.lease, result.step),
                )

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
            leases = [row["lease"] for row in run(_FORGET, {"kept": kept, "most": AT_ONCE})]
            for lease in leases:
                _delete(run, lease)
        return len(leases)


def _delete(run: Callable[..., list[Row]], lease: str) -> None:
    run("DELETE FROM messages WHERE lease = ?", (lease,))
    run("DELETE FROM jobs WHERE lease = ?", (lease,))
