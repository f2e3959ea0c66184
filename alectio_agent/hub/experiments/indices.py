"""Lists of sample indices as compact blobs, and what is left of a pool."""

import struct
from itertools import compress

from sqlalchemy import Connection, bindparam, select

from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import selections

_BATCHES = PreparedQuery(
    select(selections.c.indices).where(
        selections.c.experiment_id == bindparam("of"), selections.c.loop <= bindparam("last")
    )
)


def pack(indices: list[int]) -> bytes:
    """Write indices as unsigned 32-bit little-endian numbers.

    Args:
        indices: Each below 2**32.

    Returns:
        Four bytes each.
    """
    return struct.pack(f"<{len(indices)}I", *indices)


def unpack(blob: bytes) -> list[int]:
    """Read what `pack` wrote.

    Args:
        blob: Four bytes each.

    Returns:
        The indices, in the order they were given.
    """
    return list(struct.unpack(f"<{len(blob) // 4}I", blob))


def chosen_up_to(tx: Connection, experiment_id: str, loop: int) -> list[int]:
    """Every sample that was chosen for a loop or one before it, labelled or not.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
        loop: From 0; its own batch counts.

    Returns:
        Indices, increasing.
    """
    return sorted(unpack(b"".join(_BATCHES.values(tx, of=experiment_id, last=loop))))


def unlabelled(pool_size: int, chosen: list[int]) -> list[int]:
    """The rest of the pool.

    Args:
        pool_size: Indices are below it.
        chosen: Distinct indices below it.

    Returns:
        Indices, increasing.
    """
    # A mask: at a million samples a set difference and its sorting take ten times as long.
    mask = bytearray(b"\x01") * pool_size
    for index in chosen:
        mask[index] = 0
    return list(compress(range(pool_size), mask))
