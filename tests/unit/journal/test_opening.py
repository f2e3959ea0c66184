"""A journal that is damaged is moved aside, whole, and made anew."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.opening import open_journal
from alectio_agent.core.errors import StoreDamagedError, StoreError, StoreVersionError
from alectio_agent.core.sqlite import Database
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock

ASIDE = "agent.db.damaged-20260101T000000.000000Z"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A journal of an agent that was killed: its newest rows lie in the write-ahead log."""
    living = Journal(tmp_path / "living.db", FakeClock())
    for number in range(30):
        claim = make_claim(lease=f"lease-{number}", job_id=f"job-{number}")
        living.put_claim("boot-1", number, claim, PLATFORM)
        living.put_commit(make_manifest(claim, "train", key=f"key-{number}"), is_last=False)
        if number == 20:
            checkpoint(tmp_path / "living.db")
    for end in ("", "-wal"):
        content = (tmp_path / f"living.db{end}").read_bytes()
        (tmp_path / f"agent.db{end}").write_bytes(content)
    living.close()
    (tmp_path / "living.db").unlink()
    return tmp_path / "agent.db"


def checkpoint(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def change(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def write_garbage(file: Path) -> None:
    file.write_bytes(b"a letter that somebody saved in the wrong place\n" * 300)


def truncate(file: Path) -> None:
    checkpoint(file)
    os.truncate(file, file.stat().st_size // 2)


def tear_a_page(file: Path) -> None:
    checkpoint(file)
    with file.open("r+b") as opened:
        opened.seek(2 * 4096)
        opened.write(os.urandom(512))


def remove_the_main_file(file: Path) -> None:
    file.unlink()


def empty_the_main_file(file: Path) -> None:
    os.truncate(file, 0)


def drop_a_table(file: Path) -> None:
    change(file, "DROP TABLE groups")


def write_another_programs(file: Path) -> None:
    for path in file.parent.iterdir():
        path.unlink()
    change(file, "CREATE TABLE jobs (what TEXT)")


def tear_a_claim(file: Path) -> None:
    change(file, "UPDATE jobs SET claim = substr(claim, 1, 40) WHERE lease = 'lease-7'")


def tear_a_message(file: Path) -> None:
    change(file, "UPDATE messages SET body = substr(body, 1, 40) WHERE lease = 'lease-7'")


DAMAGES = [
    write_garbage, truncate, tear_a_page, remove_the_main_file, empty_the_main_file, drop_a_table,
    tear_a_claim, tear_a_message, write_another_programs,
]  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_sound_journal_is_opened_with_all_that_its_log_holds(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened = open_journal(file, FakeClock())
    assert not opened.is_new
    assert len(opened.journal.leases()) == 30
    opened.journal.close()
    assert names(file.parent) == ["agent.db"]
    assert caplog.messages == []


def test_the_first_start_makes_a_new_one_and_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened = open_journal(tmp_path / "agent.db", FakeClock())
    assert opened.is_new
    opened.journal.close()
    assert caplog.messages == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_kept_byte_for_byte_and_said_once(
    file: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(file)
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    opened = open_journal(file, FakeClock())
    assert opened.is_new
    assert opened.journal.leases() == []
    opened.journal.put_claim("boot-2", 1, make_claim(), PLATFORM)
    opened.journal.close()
    aside = {path.name: path.read_bytes() for path in file.parent.glob("agent.db.damaged*")}
    assert aside[f"{ASIDE}-wal"] == before["agent.db-wal"] if "agent.db-wal" in before else True
    assert aside.get(ASIDE) == before.get("agent.db")
    [told] = caplog.messages
    assert told.startswith("E-DISK-04")
    assert str(file) in told
    assert ASIDE in told
    again = open_journal(file, FakeClock())
    assert again.journal.leases() == ["lease-1"]
    again.journal.close()
    assert len(caplog.messages) == 1


def test_a_crash_while_it_is_moved_aside_leaves_nothing_that_is_taken_for_a_journal(
    file: Path,
) -> None:
    """The main file goes first: SQLite would read an older state from it without its log."""
    tear_a_claim(file)
    file.with_name("agent.db-wal").write_bytes(b"the log of the torn one")
    file.rename(file.with_name(ASIDE))
    opened = open_journal(file, FakeClock())
    opened.journal.close()
    assert (file.parent / f"{ASIDE}-wal").read_bytes() == b"the log of the torn one"


def test_one_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    Database(tmp_path / "agent.db", "CREATE TABLE t (x)", 99).close()
    with pytest.raises(StoreVersionError, match="newer") as caught:
        open_journal(tmp_path / "agent.db", FakeClock())
    assert caught.value.exit_code == 78
    assert names(tmp_path) == ["agent.db"]


def test_what_cannot_be_opened_is_no_damage(tmp_path: Path) -> None:
    """A disk that is not there for a moment must not cost the journal."""
    (tmp_path / "agent.db").mkdir()
    with pytest.raises(StoreError, match=r"agent\.db: ") as caught:
        open_journal(tmp_path / "agent.db", FakeClock())
    assert not isinstance(caught.value, StoreDamagedError)
    assert names(tmp_path) == ["agent.db"]
