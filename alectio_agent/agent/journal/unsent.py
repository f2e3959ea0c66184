"""What waits in the outbox, counted in the journal."""

from dataclasses import dataclass
from typing import Self

from alectio_agent.core.sqlite import Database

_QUERY = """
SELECT count(*) AS messages, sum(CASE kind WHEN 'commit' THEN (
    SELECT sum(json_extract(value, '$.bytes')) FROM json_each(body, '$.commit.parts')) END)
    AS size_bytes
FROM messages WHERE state = 'pending'
"""


@dataclass(frozen=True)
class Unsent:
    """What was not settled yet, for any platform.

    Attributes:
        messages: Results and failures.
        size_bytes: Of the files that belong to them.
    """

    messages: int = 0
    size_bytes: int = 0

    @classmethod
    def of(cls, database: Database) -> Self:
        """Count it.

        Args:
            database: The journal's.
        """
        [row] = database.query(_QUERY)
        return cls(int(row["messages"]), int(row["size_bytes"] or 0))
