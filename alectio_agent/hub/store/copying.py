"""Copies a database while a hub writes into it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.store.engines import BUSY_S


def copy_database(source: Path, target: Path) -> None:
    """Copy all tables as they are at one moment; the hub goes on meanwhile.

    Args:
        source: Of a hub that runs or sleeps.
        target: Does not exist yet.

    Raises:
        StoreError: It cannot be read or written, or the copy is damaged.
    """
    # Not read-only: a database that sleeps could then not be read at all (WAL). Nothing is changed.
    address = f"file:{quote(str(source.absolute()))}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=BUSY_S)) as database,
            closing(sqlite3.connect(target)) as copy,
        ):
            # All pages in one step: the hub writes beside it, and the copy does not begin anew.
            database.backup(copy)
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError(f"{source}: the database cannot be copied ({error})") from error
    if found != "ok":
        raise StoreError(f"{source}: the copy of the database is damaged: {found}")
