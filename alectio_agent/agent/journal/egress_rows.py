"""Rows of `egress.db`: what left the site, each bound to the one before by a hash."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal, Self

from alectio_agent.core.sqlite import Row

FILE = "egress.db"
SCHEMA_NUMBER = 2
_WORDS = "CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)"
_KEPT = """
CREATE TABLE kept (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    target INTEGER REFERENCES words,
    via INTEGER REFERENCES words,
    call TEXT,
    job TEXT,
    step TEXT,
    size_bytes INTEGER,
    sha256 TEXT,
    fields INTEGER REFERENCES words,
    samples INTEGER,
    of INTEGER,
    text TEXT,
    hash BLOB NOT NULL
)"""
_OUTCOMES = "CREATE INDEX outcomes ON kept (of) WHERE kind = 'outcome'"
_ROWS = """
CREATE VIEW rows AS
SELECT kept.id, at, kind, targets.word AS target, vias.word AS via, call, job, step, size_bytes,
    sha256, field_lists.word AS fields, samples, of, text, hash
FROM kept
LEFT JOIN words AS targets ON targets.id = kept.target
LEFT JOIN words AS vias ON vias.id = kept.via
LEFT JOIN words AS field_lists ON field_lists.id = kept.fields"""
_COUNTING = """
CREATE TABLE counting (
    hour TEXT NOT NULL, target TEXT NOT NULL, via TEXT NOT NULL, call TEXT NOT NULL,
    calls INTEGER NOT NULL, size_bytes INTEGER NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (hour, target, via, call)
)"""
SCHEMA = ";".join((_WORDS, _KEPT, _OUTCOMES, _ROWS, _COUNTING))
"""What every call repeats stands once, in `words`: it was half of the file."""
MIGRATIONS = {
    2: (
        "DROP INDEX outcomes",
        "ALTER TABLE rows RENAME TO before",
        _WORDS,
        _KEPT,
        "INSERT INTO words (word) SELECT target FROM before WHERE target NOT NULL "
        "UNION SELECT via FROM before WHERE via NOT NULL "
        "UNION SELECT fields FROM before WHERE fields NOT NULL",
        "INSERT INTO kept SELECT id, at, kind, (SELECT id FROM words WHERE word = target), "
        "(SELECT id FROM words WHERE word = via), call, job, step, size_bytes, sha256, "
        "(SELECT id FROM words WHERE word = fields), samples, of, text, hash FROM before",
        "DROP TABLE before",
        _OUTCOMES,
        _ROWS,
    )
}
EVER = frozenset({"rows", "counting"})
NAMES = {1: EVER, 2: EVER | {"kept", "words"}}
"""Tables and views that a file of each schema has."""
GENESIS = bytes(32)
"""Stands in the place of a hash before the first row."""

Kind = Literal["start", "stop", "call", "outcome", "count", "pruned"]
Call = Literal[
    "register", "leave", "poll", "refuse", "beat", "ask", "part", "commit", "fail", "log", "names"
]
COUNTED: frozenset[str] = frozenset({"poll", "beat"})
"""They have no rows of their own: how many there were is written down once an hour."""


@dataclass(frozen=True)
class EgressRow:
    """One row, without its hash; None where a column says nothing of this kind.

    Attributes:
        id: From 1, without gaps.
        at: RFC 3339 in UTC.
        kind: `start` and `stop` of a life of the agent, `call`, its `outcome`, `count` of polls or
            beats in an hour, `pruned` rows.
        target: `scheme://host:port`.
        via: The proxy on the way, in the same form.
        call: Which one.
        job: `experiment/loop`.
        size_bytes: Of the body.
        sha256: Of the body; of a `pruned`, the hash of the last row that went.
        fields: Names of the fields in the body, never values; with a space between them.
        samples: Rows of the result that a commit tells of; calls, in a `count`.
        of: Row of the call that an `outcome` belongs to; last row that was `pruned`.
        text: How a call ended; a note.
    """

    id: int
    at: str
    kind: str
    target: str | None = None
    via: str | None = None
    call: str | None = None
    job: str | None = None
    step: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    fields: str | None = None
    samples: int | None = None
    of: int | None = None
    text: str | None = None

    @classmethod
    def of_row(cls, row: Row) -> Self:
        """Read a row of the table.

        Args:
            row: With all columns.
        """
        return cls(*(row[name] for name in COLUMNS))

    @property
    def values(self) -> tuple[str | int | None, ...]:
        """All columns but the hash, in their order."""
        return tuple(self.__dict__.values())  # astuple() takes ten times as long

    def digest(self, before: bytes) -> bytes:
        """The hash of this row: over that of the row before, and all columns as a JSON list.

        Args:
            before: Hash of the row before; `GENESIS` for the first.
        """
        text = json.dumps(self.values, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(before + text.encode("utf-8", "surrogatepass")).digest()


COLUMNS = tuple(field.name for field in fields(EgressRow))
ALL_COLUMNS = ", ".join(COLUMNS)
IN_WORDS = frozenset({"target", "via", "fields"})
_WORD = "(SELECT id FROM words WHERE word = ?)"
_PLACES = ", ".join(_WORD if name in IN_WORDS else "?" for name in COLUMNS)
INSERT = f"INSERT INTO kept ({ALL_COLUMNS}, hash) VALUES ({_PLACES}, ?)"  # noqa: S608 - constants
INSERT_WORD = "INSERT INTO words (word) VALUES (?) ON CONFLICT DO NOTHING"
PRUNE_WORDS = (
    "DELETE FROM words WHERE id NOT IN (SELECT target FROM kept WHERE target NOT NULL "
    "UNION SELECT via FROM kept WHERE via NOT NULL UNION SELECT fields FROM kept "
    "WHERE fields NOT NULL)"
)


def joined(names: Iterable[str]) -> str:
    """Names of fields as they stand in a row.

    Args:
        names: In any order, perhaps several times.
    """
    return " ".join(sorted(set(names)))
