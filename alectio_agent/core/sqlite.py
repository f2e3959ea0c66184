"""Opens SQLite databases, runs transactions, and translates the library's errors."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import quote

from alectio_agent.core.disk_errors import store_error, told_apart, try_room
from alectio_agent.core.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreVersionError,
)

DAMAGED = (
    "It is damaged, or no database. The next start moves it aside and makes it anew from the "
    "results in the outbox folder, which stay where they are."
)
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
ROOM_BYTES = 2**16
"""A transaction takes a few pages; one that finds less than this has met a full disk."""
_REFUSALS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: None,
    sqlite3.SQLITE_PERM: errno.EACCES,
}
CACHE_KIB = 512
"""Of pages, for each connection. The newest rows are what is looked at; the system has the rest."""
Row = sqlite3.Row
Migrations = Mapping[int, Sequence[str]]
"""Number of a schema to the statements that lead to it from the one before."""
Parameters = tuple[Any, ...] | dict[str, Any]


class Database:
    """One connection to one file, safe to use from several threads.

    WAL with `synchronous=FULL`: a committed transaction survives a power cut.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        version: int,
        *,
        migrations: Migrations | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        """Open the file, and make the tables when it is new.

        An older schema is copied aside (`agent.db.v1`), then migrated, all steps or none.

        Args:
            path: The file; its folder exists.
            schema: `CREATE` statements of this version.
            version: Number of the schema, from 1.
            migrations: A step for each number from 2 to `version`.
            timeout_s: How long another process may hold the file.

        Raises:
            StoreVersionError: The file has a newer schema.
            StoreBusyError: Another process holds it for longer than the time-out.
            StoreDamagedError: The file is no database, or torn.
            StoreError: The file cannot be read or written.
        """
        self._path = path
        self._lock = RLock()
        self._is_synced = True
        with translated(path):
            self._connection = self.connect(path, timeout_s)
        try:
            self._open(path)
            self._prepare(schema, version, migrations or {})
        except BaseException:
            self._connection.close()
            raise

    def _open(self, path: Path) -> None:
        with translated(path):
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA foreign_keys=ON")
            self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    def connect(self, path: Path, timeout_s: float) -> sqlite3.Connection:
        """Open the file; an implementation may keep what is in it elsewhere.

        Args:
            path: The file.
            timeout_s: How long another process may hold it.
        """
        connection = sqlite3.connect(
            path, timeout=timeout_s, isolation_level=None, check_same_thread=False
        )
        path.chmod(0o600)
        return connection

    def _prepare(self, schema: str, version: int, migrations: Migrations) -> None:
        with self.transaction() as run:
            found = int(run("PRAGMA user_version")[0][0])
            if found > version:
                raise _too_new(self._path, found, version)
            if found == version:
                return
            if found == 0:
                for statement in filter(str.strip, schema.split(";")):
                    run(statement)
            else:
                # Inside the transaction: nobody changes what is copied, and a crash before its end
                # leaves the old tables, to be copied and migrated again.
                copy_aside(self._path, self._path.with_name(f"{self._path.name}.v{found}"))
                for number in range(found + 1, version + 1):
                    for statement in migrations[number]:
                        run(statement)
            run(f"PRAGMA user_version={version}")

    @contextmanager
    def transaction(self, *, is_synced: bool = True) -> Iterator[Callable[..., list[Row]]]:
        """Run statements that become durable together, or not at all.

        Args:
            is_synced: When it ends. Otherwise with the next one that is; a power cut before that
                undoes it, and nothing else does.

        Yields:
            A function that takes SQL and parameters and returns all rows.

        Raises:
            StoreUnavailableError: The disk is full, broken or read-only, or another process holds
                the file; nothing was changed, and trying again may help.
            StoreError: Anything else that SQLite refuses.
        """
        with self._lock, translated(self._path):
            if is_synced != self._is_synced:
                self._connection.execute(f"PRAGMA synchronous={'FULL' if is_synced else 'NORMAL'}")
                self._is_synced = is_synced
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._run
                self._connection.execute("COMMIT")
            except BaseException:
                # A full or failing disk has ended it already; ending it twice would hide why.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def query(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Read rows outside a transaction.

        Args:
            sql: One statement.
            parameters: For its placeholders.

        Returns:
            All rows.
        """
        with self._lock, translated(self._path):
            return self._run(sql, parameters)

    def close(self) -> None:
        """Close the connection; the object is of no further use."""
        with self._lock:
            self._connection.close()

    def _run(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()


@contextmanager
def reading(path: Path, version: int) -> Iterator[Callable[..., list[Row]]]:
    """Look into a file that may be another process's, and change nothing, not even beside it.

    Args:
        path: The file; it exists.
        version: The newest schema that can be read.

    Yields:
        A function that takes SQL and parameters and returns all rows.

    Raises:
        StoreVersionError: The file has a newer schema.
        StoreError: It cannot be read, or is no database.
    """
    # Nobody has it open when there is no write-ahead log. Opened as usual, it would get one.
    alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    with translated(path):
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=ro{alone}", uri=True, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
    try:
        with translated(path):
            found = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if found > version:
                raise _too_new(path, found, version)
            yield lambda sql, parameters=(): connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def copy_aside(path: Path, copy: Path) -> None:
    """Keep what is committed as another file, whole or not at all, whoever has the database open.

    Args:
        path: The database.
        copy: In the same folder; is replaced, once all of the new one is durable.

    Raises:
        StoreError: It cannot be written; what was there is left.
    """
    unfinished = copy.with_name(f".{copy.name}.tmp")
    with translated(copy):
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as to:
            unfinished.chmod(0o600)
            source.backup(to)
        _sync(unfinished)
        unfinished.replace(copy)
        _sync(copy.parent)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what the library raises into errors of ours.

    Args:
        path: Of the file, for the message.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreBusyError(f"{path}: another process holds it ({error})") from error
        raise _refused(path, error) from error
    except sqlite3.DatabaseError as error:
        # Extended codes have the plain one in their last byte; errors of the module itself none.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE:
            raise StoreDamagedError(f"{path}: {error}", hint=DAMAGED) from error
        raise StoreError(f"{path}: {error}") from error
    except BrokenPipeError:
        raise  # no file has one: rows were being printed to somebody who has seen enough
    except OSError as error:
        raise store_error(path, error) from error
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _refused(path: Path, error: sqlite3.OperationalError) -> StoreError:
    """The library says that a disk refused, and seldom why: the system is asked once more."""
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if kind not in _REFUSALS:
        return StoreError(f"{path}: {error}")
    found = try_room(path.parent, ROOM_BYTES)
    if found is not None:
        return told_apart(path, found.errno, found.strerror or str(found))
    return told_apart(path, _REFUSALS[kind], str(error))


def _too_new(path: Path, found: int, version: int) -> StoreVersionError:
    return StoreVersionError(
        f"{path}: schema {found} is newer than this version's {version}",
        hint="Install the newer version again, or start with another state folder.",
    )
