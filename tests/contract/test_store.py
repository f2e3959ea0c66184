"""What every store of the hub must do; on files, since that is where it must not lose anything."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import OperationalError

from alectio_agent.core.errors import StoreBusyError, StoreError, StoreVersionError, UsageError
from alectio_agent.hub.store.engines import translated
from alectio_agent.hub.store.migrations import STEPS
from alectio_agent.hub.store.schema import meta_value
from alectio_agent.hub.store.store import LARGEST_GROUP, Store
from alectio_agent.hub.store.tables import (
    SCHEMA,
    agents,
    experiments,
    jobs,
    labels,
    meta,
    metadata,
    results,
    rewound_batches,
    tokens,
)
from alectio_agent.hub.store.transactions import after_commit
from tests.support.clocks import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path, FakeClock())
    yield opened
    opened.close()


def put(key: str, value: str = "x"):
    return lambda tx: tx.execute(insert(meta).values(key=key, value=value)).rowcount


def keys(tx: Connection) -> set[str]:
    made = {"schema", "platform_id", "created_at"}
    return set(tx.execute(select(meta.c.key)).scalars()) - made


def driver(tx: Connection) -> sqlite3.Connection:
    found = tx.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


class Gate:
    """Work that keeps the writer busy until told otherwise, so that a group forms behind it."""

    def __init__(self, store: Store) -> None:
        self._open = Event()
        self._entered = Event()
        self.passed = store.write(self._wait)
        assert self._entered.wait(10)

    def _wait(self, _: Connection) -> None:
        self._entered.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()
        self.passed.result(10)


def test_a_write_is_read_by_others_once_it_is_answered(store: Store) -> None:
    assert store.write(put("a")).result(10) == 1
    assert store.read(keys).result(10) == {"a"}


def test_what_was_answered_is_there_after_the_process_was_killed(path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from alectio_agent.core.clock import SystemClock\n"
        "from alectio_agent.hub.store.store import Store\n"
        "from alectio_agent.hub.store.tables import meta\n"
        "store = Store(Path(sys.argv[1]), SystemClock())\n"
        "store.write(lambda tx: tx.execute(meta.insert().values(key='a', value='x'))).result()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.run([sys.executable, "-c", script, str(path)], env=os.environ, check=False)
    assert child.returncode == -9
    store = Store(path, FakeClock())
    assert store.read(keys).result(10) == {"a"}
    store.close()


def test_an_error_undoes_only_its_own_work(store: Store) -> None:
    def fails(tx: Connection) -> None:
        put("lost")(tx)
        raise UsageError("no")

    gate = Gate(store)
    before, failed, after = store.write(put("a")), store.write(fails), store.write(put("b"))
    gate.open()
    assert (before.result(10), after.result(10)) == (1, 1)
    with pytest.raises(UsageError):
        failed.result(10)
    assert store.read(keys).result(10) == {"a", "b"}


def test_a_commit_that_fails_is_told_to_all_its_group_and_changes_nothing(store: Store) -> None:
    heard: list[str] = []

    def forbid_commit(tx: Connection) -> None:
        def judge(action: int, what: str | None, *_: object) -> int:
            is_commit = action == sqlite3.SQLITE_TRANSACTION and what == "COMMIT"
            return sqlite3.SQLITE_DENY if is_commit else sqlite3.SQLITE_OK

        driver(tx).set_authorizer(judge)

    def work(tx: Connection) -> None:
        put("a")(tx)
        after_commit(tx, lambda: heard.append("action"))

    gate = Gate(store)
    futures = [store.write(forbid_commit), store.write(work), store.write(put("b"))]
    gate.open()
    for future in futures:
        with pytest.raises(StoreError):
            future.result(10)
    assert heard == []
    assert store.read(keys).result(10) == set()


def test_a_full_database_undoes_all_of_its_group_and_says_so_to_each(store: Store) -> None:
    """It undoes more than the statement that failed: nobody may be told that his part is kept."""

    def fill(tx: Connection) -> None:
        pages = driver(tx).execute("PRAGMA page_count").fetchone()[0]
        driver(tx).execute(f"PRAGMA max_page_count = {pages + 3}")

    store.write(fill).result(10)
    gate = Gate(store)
    large = "x" * 100_000
    futures = [store.write(put("a")), store.write(put("b", large)), store.write(put("c"))]
    gate.open()
    for future in futures:
        with pytest.raises(StoreError):
            future.result(10)
    assert store.read(keys).result(10) == set()
    with pytest.raises(StoreError, match="full"):
        store.write(put("b", large)).result(10)
    store.write(lambda tx: driver(tx).execute("PRAGMA max_page_count = 100000")).result(10)
    assert store.write(put("b", large)).result(10) == 1
    assert store.read(keys).result(10) == {"b"}


def test_many_queued_pieces_of_work_are_all_done(store: Store) -> None:
    gate = Gate(store)
    futures = [store.write(put(str(number))) for number in range(LARGEST_GROUP + 10)]
    gate.open()
    assert [future.result(10) for future in futures] == [1] * len(futures)


def test_cancelled_reading_is_not_done(store: Store) -> None:
    is_reading, may_end = Event(), Event()

    def slow(_: Connection) -> bool:
        is_reading.set()
        return may_end.wait(10)

    first = store.read(slow)
    assert is_reading.wait(10)
    cancelled = store.read(keys)
    assert cancelled.cancel()
    may_end.set()
    assert first.result(10)
    assert store.read(keys).result(10) == set()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (OperationalError("", None, Exception("database is locked")), StoreBusyError),
        (OperationalError("", None, Exception("disk I/O error")), StoreError),
        (OSError("no space left"), StoreError),
    ],
)
def test_every_error_of_the_library_becomes_one_of_ours(
    raised: Exception, expected: type[Exception]
) -> None:
    with pytest.raises(expected, match=r"hub\.db: "), translated("hub.db"):
        raise raised


def test_errors_of_the_database_are_translated(store: Store) -> None:
    store.write(put("a")).result(10)
    with pytest.raises(StoreError):
        store.write(put("a")).result(10)


def test_queued_work_becomes_durable_with_one_commit(store: Store) -> None:
    heard: list[str] = []
    store.on_commit(lambda: heard.append("commit"))
    gate = Gate(store)
    futures = [store.write(put(str(number))) for number in range(20)]
    gate.open()
    for future in futures:
        future.result(10)
    store.write(lambda tx: None).result(10)
    assert heard == ["commit"]
    assert len(store.read(keys).result(10)) == 20


def test_work_that_changes_nothing_tells_nobody(store: Store) -> None:
    """A held poll looks after each commit: were its look a commit, it would wake itself."""
    heard: list[str] = []
    store.on_commit(lambda: heard.append("commit"))
    store.write(keys).result(10)
    store.write(lambda tx: None).result(10)
    assert heard == []


def test_actions_run_after_the_commit_and_before_the_answer(store: Store) -> None:
    heard: list[str] = []

    def work(tx: Connection) -> None:
        after_commit(tx, lambda: heard.append("action"))
        heard.append("work")

    store.write(work).result(10)
    assert heard == ["work", "action"]


def test_actions_of_undone_work_never_run(store: Store) -> None:
    heard: list[str] = []

    def fails(tx: Connection) -> None:
        after_commit(tx, lambda: heard.append("action"))
        raise UsageError("no")

    with pytest.raises(UsageError):
        store.write(fails).result(10)
    store.write(put("a")).result(10)
    assert heard == []


def test_a_failing_action_or_listener_stops_nobody(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.on_commit(lambda: 1 / 0)

    def work(tx: Connection) -> None:
        put("a")(tx)
        after_commit(tx, lambda: 1 / 0)

    store.write(work).result(10)
    store.write(put("b")).result(10)
    assert store.read(keys).result(10) == {"a", "b"}


def test_a_reader_sees_committed_rows_only(store: Store) -> None:
    seen: list[set[str]] = []

    def work(tx: Connection) -> None:
        put("a")(tx)
        seen.append(store.read(keys).result(10))

    store.write(work).result(10)
    assert seen == [set()]


def test_a_reading_error_leaves_the_reader_alive(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        store.read(lambda tx: 1 / 0).result(10)
    assert store.read(keys).result(10) == set()


def test_cancelled_work_is_not_done(store: Store) -> None:
    gate = Gate(store)
    future: Future[int] = store.write(put("a"))
    assert future.cancel()
    gate.open()
    store.write(put("b")).result(10)
    assert store.read(keys).result(10) == {"b"}


def test_a_closed_store_has_finished_and_takes_nothing_more(path: Path) -> None:
    store = Store(path, FakeClock())
    future = store.write(put("a"))
    store.close()
    assert future.result(0) == 1
    with pytest.raises(StoreError, match="closed"):
        store.write(put("b"))
    with pytest.raises(StoreError, match="closed"):
        store.read(keys)
    store.close()


def test_the_platform_keeps_its_identity(path: Path) -> None:
    found = []
    for _ in range(2):
        store = Store(path, FakeClock())
        found.append(store.read(lambda tx: meta_value(tx, "platform_id")).result(10))
        store.close()
    assert found[0] == found[1]
    assert len(found[0]) == 32


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    store = Store(path, FakeClock())
    newer = update(meta).where(meta.c.key == "schema").values(value="99")
    store.write(lambda tx: tx.execute(newer).rowcount).result(10)
    store.close()
    for _ in range(2):
        with pytest.raises(StoreVersionError) as caught:
            Store(path, FakeClock())
        assert "schema 99 is newer than this version's" in caught.value.message


def make_first_version(path: Path) -> None:
    """The first version's tables, made by hand."""
    Store(path, FakeClock()).close()
    connection = sqlite3.connect(path)
    connection.executescript(
        "ALTER TABLE experiments DROP COLUMN pool_pins; DROP TABLE labels;"
        "DROP TABLE rewound_batches;"
        "ALTER TABLE jobs DROP COLUMN asked_at; ALTER TABLE jobs DROP COLUMN labels_upto;"
        "ALTER TABLE experiments DROP COLUMN series; ALTER TABLE results DROP COLUMN provenance;"
        "ALTER TABLE agents DROP COLUMN slots;"
        "UPDATE meta SET value = '1' WHERE key = 'schema';"
        "INSERT INTO tokens VALUES ('t', 'gpu01', 'agent', 'abc', '2026', NULL, NULL, NULL);"
    )
    connection.close()


def test_a_migration_that_is_cut_short_leaves_the_old_tables(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_first_version(path)
    monkeypatch.setitem(STEPS, SCHEMA, (*STEPS[SCHEMA], "ALTER TABLE absent ADD COLUMN x TEXT"))
    for _ in range(2):
        with pytest.raises(StoreError, match="absent"):
            Store(path, FakeClock())
        for file in (path, path.with_name("hub.db.schema-1")):
            assert _rows(file, "SELECT value FROM meta WHERE key = 'schema'") == [("1",)]
            assert _rows(file, "SELECT name FROM sqlite_master WHERE name = 'labels'") == []
    monkeypatch.undo()
    store = Store(path, FakeClock())
    assert store.read(lambda tx: meta_value(tx, "schema")).result(10) == str(SCHEMA)
    store.close()


def test_a_copy_that_cannot_be_made_leaves_the_old_tables(path: Path) -> None:
    make_first_version(path)
    path.with_name("hub.db.schema-1").mkdir()
    with pytest.raises(StoreError, match="schema-1"):
        Store(path, FakeClock())
    assert _rows(path, "SELECT value FROM meta WHERE key = 'schema'") == [("1",)]


def test_an_older_schema_is_copied_aside_and_brought_up_to_date(path: Path) -> None:
    """What it kept is still there afterwards."""
    make_first_version(path)
    store = Store(path, FakeClock())
    try:
        assert store.read(lambda tx: meta_value(tx, "schema")).result(10) == str(SCHEMA)
        known = store.read(lambda tx: tx.execute(select(tokens.c.name)).scalars().all()).result(10)
        assert known == ["gpu01"]
    finally:
        store.close()
    for table in (agents, experiments, jobs, labels, results, rewound_batches):
        columns = {row[1] for row in _rows(path, f"PRAGMA table_info({table.name})")}
        assert columns == set(table.c.keys())
    aside = path.with_name("hub.db.schema-1")
    assert _rows(aside, "SELECT value FROM meta WHERE key = 'schema'") == [("1",)]


def _rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_what_is_no_database_is_refused(path: Path) -> None:
    path.write_text("this is a letter, not a database" * 100)
    with pytest.raises(StoreError):
        Store(path, FakeClock())
    assert path.read_text().startswith("this is a letter")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store(tmp_path / "missing" / "hub.db", FakeClock())


def test_a_commit_survives_a_power_cut_and_is_closed_to_others(store: Store, path: Path) -> None:
    def pragmas(tx: Connection) -> tuple[object, ...]:
        return tuple(
            tx.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        )

    full = 2
    assert store.write(pragmas).result(10) == ("wal", full)
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_table_is_made(store: Store, path: Path) -> None:
    connection = sqlite3.connect(path)
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert set(metadata.tables) <= found
