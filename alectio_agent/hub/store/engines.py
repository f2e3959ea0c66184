"""Connections to SQLite through SQLAlchemy; only this and `prepared` know which database it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from alectio_agent.core.errors import StoreBusyError, StoreError

BUSY_S = 10.0


def open_engine(path: Path | None, *, is_writer: bool) -> Engine:
    """An engine with a single connection.

    Args:
        path: The file; None for a database in memory, gone with the engine.
        is_writer: Transactions take the write lock when they begin.

    Returns:
        The engine; WAL with `synchronous=FULL`, so that a commit survives a power cut.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    begin = "BEGIN IMMEDIATE" if is_writer else "BEGIN"

    # The library's own way to let transactions begin when SQLAlchemy says so, not at the first
    # change: else a read before a write would not belong to the transaction.
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        if path is not None:
            path.chmod(0o600)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        _driver(connection).execute(begin)

    return engine


def open_reader(path: Path) -> Engine:
    """An engine for another process than the one that writes: it cannot change anything.

    Args:
        path: The file, which a hub has open.

    Returns:
        The engine, with a single connection.
    """

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=ro",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
        )
        connection.execute("PRAGMA query_only=ON")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def changes(tx: Connection) -> int:
    """Rows changed through this connection since it was opened.

    Args:
        tx: Of an engine above.
    """
    return _driver(tx).total_changes


def _said(error: OperationalError | sqlite3.OperationalError) -> str:
    """What the database said: of an error in the undoing of another one, what the first said."""
    first = error.__context__
    while isinstance(first, (OperationalError, sqlite3.OperationalError)):
        error, first = first, first.__context__
    return str(error.orig if isinstance(error, OperationalError) else error)


def check_transaction(tx: Connection) -> None:
    """See whether a transaction is still there.

    On a full or broken disk the database undoes all of it by itself, not only the statement that
    failed. What follows would be committed one by one, and what came before is gone.

    Args:
        tx: Of an engine above, in a transaction.

    Raises:
        StoreError: It was undone.
    """
    if not _driver(tx).in_transaction:
        raise StoreError("the database undid the whole transaction, as on a full disk")


def _driver(tx: Connection) -> sqlite3.Connection:
    driver = tx.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the engines above make no other
    return driver


@contextmanager
def translated(place: object) -> Iterator[None]:
    """Turn the library's errors into ours.

    Args:
        place: The database, for the message.

    Raises:
        StoreBusyError: Another process holds the file.
        StoreError: Anything else that the database refuses.
    """
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        said = _said(error)
        if "locked" in said or "busy" in said:
            raise StoreBusyError(f"{place}: another process holds it ({said})") from error
        raise StoreError(f"{place}: {said}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{place}: {getattr(error, 'orig', None) or error}") from error
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{place}: {error}") from error
