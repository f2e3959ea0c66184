"""Idempotency: a message that comes again under its key is accepted again, and counted once."""

import hashlib

from pydantic import JsonValue
from sqlalchemy import Connection, bindparam, delete, insert, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.store.prepared import PreparedChange, PreparedQuery
from alectio_agent.hub.store.tables import messages
from alectio_agent.wire.strict_json import canonical

_KNOWN = PreparedQuery(
    select(messages.c.content).where(
        messages.c.job_id == bindparam("job"), messages.c.key == bindparam("of")
    )
)
_KEEP = PreparedChange(insert(messages))


def is_repeated(tx: Connection, job_id: str, key: str, content: dict[str, JsonValue]) -> bool:
    """Look a key up; the first time, it is kept as long as the job.

    Args:
        tx: A writing transaction; undone when the message is refused, so that the key stays free.
        job_id: Of the job.
        key: Made once per message.
        content: What must not change under one key.

    Returns:
        Whether the message came before.

    Raises:
        ProblemError: `key-reused`: it came with other content.
    """
    digest = _digest(content)
    if _came(tx, job_id, key, digest):
        return True
    _KEEP.run(tx, job_id=job_id, key=key, content=digest)
    return False


def came_before(tx: Connection, job_id: str, key: str, content: dict[str, JsonValue]) -> bool:
    """Look a key up, and keep nothing.

    Args:
        tx: Any transaction.
        job_id: Of the job.
        key: Made once per message.
        content: What must not change under one key.

    Raises:
        ProblemError: `key-reused`: it came with other content.
    """
    return _came(tx, job_id, key, _digest(content))


def forget_message(tx: Connection, job_id: str, key: str) -> None:
    """Let a key be as if its message had never come.

    Args:
        tx: A writing transaction, which refuses the message and yet changes something.
        job_id: Of the job.
        key: Of the message.
    """
    tx.execute(delete(messages).where(messages.c.job_id == job_id, messages.c.key == key))


def _came(tx: Connection, job_id: str, key: str, digest: str) -> bool:
    known = _KNOWN.row(tx, job=job_id, of=key)
    if known is not None and known["content"] != digest:
        raise ProblemError("key-reused", f"key {key} came before, with other content")
    return known is not None


def _digest(content: dict[str, JsonValue]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()
