"""What waits in the outbox, counted in the journal."""

from dataclasses import dataclass
from typing import Self

from alectio_agent.core.sqlite import Database

_QUERY = """
SELECT count(*) AS messages, sum(length(CAST(body AS BLOB)) + coalesce((
    SELECT sum(json_extract(value, '$.bytes')) FROM json_each(body, '$.commit.parts')), 0))
    AS size_bytes, min(created_at) AS oldest_at
FROM messages WHERE state = 'pending'
"""


@dataclass(frozen=True)
class Unsent:
    """What was not settled yet, for any platform.

    Attributes:
        messages: Results and failures.
        size_bytes: Of the messages, in which small results lie, and of their files.
        oldest_at: When the oldest was put there, RFC 3339; empty without any.
    """

    messages: int = 0
    size_bytes: int = 0
    oldest_at: str = ""

    @classmethod
    def of(cls, database: Database) -> Self:
        """Count it.

        Args:
            database: The journal's.
        """
        [row] = database.query(_QUERY)
        return cls(int(row["messages"]), int(row["size_bytes"] or 0), row["oldest_at"] or "")
