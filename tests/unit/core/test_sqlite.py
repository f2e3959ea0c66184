"""A database file: durable transactions, and errors that say whose file it is."""

import errno
import gc
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from alectio_agent.core.errors import (
    ExitCode,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFailingError,
    StoreFullError,
    StoreReadOnlyError,
    StoreVersionError,
)
from alectio_agent.core.sqlite import Database, reading, translated

SCHEMA = "CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT UNIQUE); CREATE TABLE other (x)"


@pytest.fixture
def opened():
    """Opens databases, and closes them all at the end."""
    databases = []

    def open_one(path, schema=SCHEMA, version=1, **options):
        databases.append(Database(path, schema, version, **options))
        return databases[-1]

    yield open_one
    for database in databases:
        database.close()


@pytest.fixture
def database(opened, tmp_path):
    return opened(tmp_path / "agent.db")


def names(database):
    return [row["name"] for row in database.query("SELECT name FROM names ORDER BY id")]


def add(database, *added):
    with database.transaction() as run:
        for name in added:
            run("INSERT INTO names (name) VALUES (?)", (name,))


def add_and_raise(database, error):
    with database.transaction() as run:
        run("INSERT INTO names (name) VALUES ('lost')")
        raise error


def test_each_transaction_says_for_itself_whether_it_waits_for_the_disk(database):
    found = []
    for is_synced in (True, False, True):
        with database.transaction(is_synced=is_synced) as run:
            found.append(run("PRAGMA synchronous")[0][0])
    assert found == [2, 1, 2]


def test_what_was_not_synced_is_there_after_a_restart(opened, tmp_path):
    first = opened(tmp_path / "a.db")
    with first.transaction(is_synced=False) as run:
        run("INSERT INTO names (name) VALUES ('kept')")
    first.close()
    assert names(opened(tmp_path / "a.db")) == ["kept"]


def test_what_was_committed_is_there_after_a_restart(opened, tmp_path):
    first = opened(tmp_path / "a.db")
    add(first, "one", "two")
    first.close()
    assert names(opened(tmp_path / "a.db")) == ["one", "two"]


def test_a_power_cut_cannot_undo_a_commit(database):
    assert database.query("PRAGMA journal_mode")[0][0] == "wal"
    assert database.query("PRAGMA synchronous")[0][0] == 2  # FULL
    assert database.query("PRAGMA foreign_keys")[0][0] == 1


def test_the_file_is_closed_to_others(database, tmp_path):
    assert stat.S_IMODE((tmp_path / "agent.db").stat().st_mode) == 0o600


def test_an_error_inside_a_transaction_undoes_all_of_it(database):
    add(database, "before")
    with pytest.raises(RuntimeError):
        add_and_raise(database, RuntimeError())
    assert names(database) == ["before"]
    add(database, "after")
    assert names(database) == ["before", "after"]


def test_a_refused_statement_undoes_all_of_the_transaction(database):
    with pytest.raises(StoreError, match="UNIQUE"):
        add(database, "twice", "twice")
    assert names(database) == []


def test_a_stop_inside_a_transaction_undoes_it_as_well(database):
    with pytest.raises(KeyboardInterrupt):
        add_and_raise(database, KeyboardInterrupt())
    assert names(database) == []


def test_a_statement_returns_its_rows(database):
    with database.transaction() as run:
        (row,) = run("INSERT INTO names (name) VALUES (:name) RETURNING id, name", {"name": "x"})
    assert (row["id"], row["name"]) == (1, "x")


def test_a_newer_schema_is_refused_and_left_alone(opened, tmp_path):
    opened(tmp_path / "a.db", version=3).close()
    with pytest.raises(
        StoreVersionError, match="schema 3 is newer than this version's 2"
    ) as caught:
        opened(tmp_path / "a.db", version=2)
    assert caught.value.exit_code == ExitCode.CONFIG
    assert str(tmp_path / "a.db") in str(caught.value)
    assert opened(tmp_path / "a.db", version=3).query("PRAGMA user_version")[0][0] == 3


def test_a_file_that_is_held_by_another_is_busy(opened, tmp_path):
    path = tmp_path / "a.db"
    opened(path)
    other = opened(path, timeout_s=0.0)
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="another process holds it") as caught:
            add(other, "x")
        assert caught.value.exit_code == ExitCode.TRY_AGAIN
        holder.execute("ROLLBACK")
    finally:
        holder.close()
    add(other, "x")
    assert names(other) == ["x"]


def test_a_file_that_is_no_database_is_named(opened, tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"no database at all, but long enough to be read as a header of one" * 20)
    with pytest.raises(StoreError, match=r"a\.db: file is not a database"):
        opened(path)


def test_a_folder_that_does_not_exist_is_named(opened, tmp_path):
    with pytest.raises(StoreError, match=r"none/a\.db: unable to open database file"):
        opened(tmp_path / "none" / "a.db")


def test_wrong_sql_never_leaves_as_an_error_of_the_library(database):
    with pytest.raises(StoreError, match="no such table"):
        database.query("SELECT * FROM absent")


V1 = """
PRAGMA journal_mode=WAL;
CREATE TABLE jobs (lease TEXT PRIMARY KEY, state TEXT NOT NULL);
INSERT INTO jobs VALUES ('lease-1', 'open'), ('lease-2', 'closed');
PRAGMA user_version=1;
"""
V3 = "CREATE TABLE jobs (lease TEXT PRIMARY KEY, stage TEXT NOT NULL, size INTEGER NOT NULL)"
STEPS = {
    2: ("ALTER TABLE jobs ADD COLUMN size INTEGER NOT NULL DEFAULT 7",),
    3: ("ALTER TABLE jobs RENAME COLUMN state TO stage", "CREATE INDEX by_stage ON jobs (stage)"),
}


def run_sql(path, script):
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def rows_of(path, sql):
    connection = sqlite3.connect(path)
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


class TestMigration:
    @pytest.fixture
    def old(self, tmp_path: Path) -> Path:
        """A file of the first version, made by hand."""
        run_sql(tmp_path / "agent.db", V1)
        return tmp_path / "agent.db"

    def is_old(self, path: Path) -> bool:
        version = rows_of(path, "PRAGMA user_version")[0][0]
        rows = rows_of(path, "SELECT * FROM jobs ORDER BY lease")
        return (version, rows) == (1, [("lease-1", "open"), ("lease-2", "closed")])

    def test_an_older_one_is_brought_up_to_date_step_by_step(self, old: Path, opened) -> None:
        database = opened(old, V3, 3, migrations=STEPS)
        assert [tuple(row) for row in database.query("SELECT lease, stage, size FROM jobs")] == [
            ("lease-1", "open", 7),
            ("lease-2", "closed", 7),
        ]
        assert database.query("PRAGMA user_version")[0][0] == 3

    def test_it_is_copied_aside_before(self, old: Path, opened) -> None:
        opened(old, V3, 3, migrations=STEPS)
        copy = old.with_name("agent.db.v1")
        assert self.is_old(copy)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert not old.with_name(".agent.db.v1.tmp").exists()

    def test_what_lies_in_its_write_ahead_log_is_copied_too(self, old: Path, opened) -> None:
        writer = sqlite3.connect(old, isolation_level=None)
        writer.execute("INSERT INTO jobs VALUES ('lease-3', 'open')")
        opened(old, V3, 3, migrations=STEPS)
        writer.close()
        assert rows_of(old.with_name("agent.db.v1"), "SELECT count(*) FROM jobs") == [(3,)]

    def test_a_step_that_fails_leaves_the_old_one(self, old: Path, opened) -> None:
        broken = {**STEPS, 3: (STEPS[3][0], "ALTER TABLE absent ADD COLUMN x")}
        for _ in range(2):
            with pytest.raises(StoreError, match="no such table: absent"):
                opened(old, V3, 3, migrations=broken)
            assert self.is_old(old)
        opened(old, V3, 3, migrations=STEPS)

    @pytest.mark.parametrize("at", [0, 1, 2, 3])
    def test_killed_in_the_middle_it_is_the_old_one_and_is_migrated_next_time(
        self, old: Path, opened, at: int
    ) -> None:
        script = (
            "import os, signal, sys\n"
            "from pathlib import Path\n"
            "from alectio_agent.core.sqlite import Database\n"
            "from tests.unit.core.test_sqlite import STEPS, V3\n"
            "left = int(sys.argv[2])\n"
            "def deadly(statements):\n"
            "    global left\n"
            "    for statement in [*statements, 'SELECT 1']:\n"
            "        if left == 0: os.kill(os.getpid(), signal.SIGKILL)\n"
            "        left -= 1\n"
            "        yield statement\n"
            "steps = {number: deadly(STEPS[number]) for number in STEPS}\n"
            "Database(Path(sys.argv[1]), V3, 3, migrations=steps)\n"
        )
        root = Path(__file__).parents[3]
        words = [sys.executable, "-c", script, str(old), str(at)]
        child = subprocess.run(words, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
        assert child.returncode == -9
        assert self.is_old(old)
        assert opened(old, V3, 3, migrations=STEPS).query("PRAGMA user_version")[0][0] == 3

    def test_a_copy_that_was_not_finished_is_made_anew(self, old: Path, opened) -> None:
        old.with_name(".agent.db.v1.tmp").write_bytes(b"half")
        opened(old, V3, 3, migrations=STEPS)
        assert self.is_old(old.with_name("agent.db.v1"))

    def test_one_that_cannot_be_copied_aside_is_not_touched(self, old: Path, opened) -> None:
        old.with_name("agent.db.v1").mkdir()
        with pytest.raises(StoreError, match=r"agent\.db\.v1"):
            opened(old, V3, 3, migrations=STEPS)
        assert self.is_old(old)

    def test_a_new_one_needs_no_migration_and_no_copy(self, opened, tmp_path: Path) -> None:
        database = opened(tmp_path / "agent.db", V3, 3, migrations=STEPS)
        assert database.query("SELECT * FROM jobs") == []
        assert not (tmp_path / "agent.db.v1").exists()


class TestDamage:
    def test_what_sqlite_calls_malformed_is_damage(self, opened, tmp_path: Path) -> None:
        add(opened(tmp_path / "a.db"), *(f"{number:0>200}" for number in range(100)))
        connection = sqlite3.connect(tmp_path / "a.db")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        copy = tmp_path / "b.db"
        copy.write_bytes((tmp_path / "a.db").read_bytes()[:8192])
        with pytest.raises(StoreDamagedError, match="malformed"):
            opened(copy)

    def test_a_broken_rule_of_a_table_is_no_damage(self, database) -> None:
        with pytest.raises(StoreError) as caught:
            add(database, "twice", "twice")
        assert not isinstance(caught.value, StoreDamagedError)
        assert caught.value.hint == ""


class TestReading:
    def test_it_sees_what_another_connection_committed(self, tmp_path: Path) -> None:
        database = Database(tmp_path / "t.db", "CREATE TABLE t (x)", 1)
        with database.transaction() as run:
            run("INSERT INTO t VALUES (7)")
        with reading(tmp_path / "t.db", 1) as look:
            assert [row["x"] for row in look("SELECT x FROM t")] == [7]
        database.close()

    def test_it_does_not_wait_for_one_that_writes(self, tmp_path: Path) -> None:
        database = Database(tmp_path / "t.db", "CREATE TABLE t (x)", 1)
        with database.transaction() as run:
            run("INSERT INTO t VALUES (7)")
            with reading(tmp_path / "t.db", 1) as look:
                assert look("SELECT x FROM t") == []
        database.close()

    def test_it_makes_no_file_beside_one_that_nobody_has_open(self, tmp_path: Path) -> None:
        Database(tmp_path / "a ?#%.db", "CREATE TABLE t (x)", 1).close()
        with reading(tmp_path / "a ?#%.db", 1) as look:
            assert look("SELECT x FROM t") == []
            assert [path.name for path in tmp_path.iterdir()] == ["a ?#%.db"]

    def test_it_cannot_write(self, tmp_path: Path) -> None:
        Database(tmp_path / "t.db", "CREATE TABLE t (x)", 1).close()
        with pytest.raises(StoreError, match="readonly"), reading(tmp_path / "t.db", 1) as look:
            look("INSERT INTO t VALUES (1)")


class TestADiskThatRefuses:
    def test_a_full_one_is_told_as_such_and_nothing_of_it_stays(self, opened, tmp_path):
        """SQLite ends such a transaction by itself: ending it twice would hide why."""
        database = opened(tmp_path / "agent.db")
        pages = database.query("PRAGMA page_count")[0][0]
        database.query(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreFullError, match="database or disk is full"):
            add(database, "a" * 100_000)
        add(database, "small")
        database.query("PRAGMA max_page_count=1000")
        add(database, "b")
        assert names(database) == ["small", "b"]

    def test_one_that_became_read_only_is_told_as_such(self, database):
        database.query("PRAGMA query_only=1")
        with pytest.raises(StoreReadOnlyError, match="readonly database"):
            add(database, "a")
        database.query("PRAGMA query_only=0")
        add(database, "b")
        assert names(database) == ["b"]

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (sqlite3.SQLITE_IOERR_WRITE, StoreFailingError),
            (sqlite3.SQLITE_IOERR_FSYNC, StoreFailingError),
            (sqlite3.SQLITE_FULL, StoreFullError),
            (sqlite3.SQLITE_PERM, StoreReadOnlyError),
        ],
    )
    def test_the_librarys_codes_are_told_apart(self, code, kind, tmp_path):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        with pytest.raises(kind), translated(tmp_path / "agent.db"):
            raise error

    def test_the_system_knows_better_than_the_library(self, tmp_path, monkeypatch):
        """For a quota the library says that the disk fails."""
        quota = OSError(errno.EDQUOT, "Disk quota exceeded")
        monkeypatch.setattr("os.posix_fallocate", raising(quota))
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        with pytest.raises(StoreFullError, match="quota"), translated(tmp_path / "agent.db"):
            raise error

    def test_one_that_cannot_be_opened_is_closed_again(self, tmp_path, recwarn):
        (tmp_path / "agent.db").mkdir()
        with pytest.raises(StoreError):
            Database(tmp_path / "agent.db", SCHEMA, 1)
        gc.collect()
        assert list(recwarn) == []


def raising(error):
    def raise_it(*_):
        raise error

    return raise_it
