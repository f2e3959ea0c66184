"""Statements of the egress record: a row at the end, hours that are over, rows that may go."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from alectio_agent.agent.journal.egress_rows import (
    GENESIS,
    IN_WORDS,
    INSERT,
    INSERT_WORD,
    PRUNE_WORDS,
    EgressRow,
)
from alectio_agent.core.clock import timestamp
from alectio_agent.core.sqlite import Row

Run = Callable[..., list[Row]]
RowCallback = Callable[[EgressRow, bytes], None]
DAY_S = 86400.0
MOST_AT_ONCE = 10_000


class Append(Protocol):
    """Puts a row at the end; gives its number."""

    def __call__(self, run: Run, kind: str, **columns: Any) -> int:
        """Put a row at the end."""


def append(run: Run, at: str, kind: str, columns: Mapping[str, Any]) -> tuple[EgressRow, bytes]:
    """Put a row at the end of the chain.

    Args:
        run: Runs a statement of a transaction.
        at: Its time.
        kind: Of row.
        columns: The others, by name.

    Returns:
        The row and its hash.
    """
    last = run("SELECT id, hash FROM kept ORDER BY id DESC LIMIT 1")
    number, before = (int(last[0]["id"]), bytes(last[0]["hash"])) if last else (0, GENESIS)
    row = EgressRow(number + 1, at, kind, **columns)
    digest = row.digest(before)
    for word in {columns.get(name) for name in IN_WORDS} - {None}:
        run(INSERT_WORD, (word,))
    run(INSERT, (*row.values, digest))
    return row, digest


def fold_hours(run: Run, append_row: Append, hour: str | None) -> None:
    """Make rows of what was counted in hours that are over.

    Args:
        run: Runs a statement of a transaction.
        append_row: Puts a row at the end.
        hour: The one that lasts; None: it ends now too.
    """
    over = run("SELECT * FROM counting WHERE ? IS NULL OR hour < ? ORDER BY hour", (hour, hour))
    for sums in over:
        append_row(
            run,
            "count",
            target=sums["target"],
            via=sums["via"] or None,
            call=sums["call"],
            size_bytes=sums["size_bytes"],
            fields=sums["fields"],
            samples=sums["calls"],
            text=sums["hour"],
        )
    if over:
        run("DELETE FROM counting WHERE ? IS NULL OR hour < ?", (hour, hour))


def prune(run: Run, append_row: Append, now: datetime, keep_s: float) -> None:
    """Let rows go that are too old; a row at the end holds the hash of the last one that went.

    That happens once a day, and never all at once: each time adds a row.

    Args:
        run: Runs a statement of a transaction.
        append_row: Puts a row at the end.
        now: The time.
        keep_s: How long rows stay.
    """
    moment = now - timedelta(seconds=keep_s)
    due = timestamp(moment - timedelta(seconds=min(DAY_S, keep_s)))
    oldest = run("SELECT id, at FROM kept ORDER BY id LIMIT 1")
    if not oldest or oldest[0]["at"] >= due:
        return
    stays = run(
        "SELECT id FROM kept WHERE at >= ? ORDER BY id LIMIT 1", (timestamp(moment),)
    ) or run("SELECT max(id) AS id FROM kept")
    first = int(oldest[0]["id"])
    last = min(int(stays[0]["id"]) - 1, first + MOST_AT_ONCE - 1)
    if last < first:
        return
    digest = bytes(run("SELECT hash FROM kept WHERE id = ?", (last,))[0]["hash"])
    run("DELETE FROM kept WHERE id <= ?", (last,))
    run(PRUNE_WORDS)
    append_row(run, "pruned", of=last, sha256=digest.hex(), samples=last - first + 1)
