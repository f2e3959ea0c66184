"""Backups of a folder: what is in them, and what is refused."""

import io
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from alectio_agent.core.errors import StoreError, UsageError
from alectio_agent.hub.server.backup import make_backup, read_backup
from tests.support.clocks import FakeClock


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    (folder / "parts" / "j1").mkdir(parents=True)
    (folder / "parts" / "j1" / "abc").write_bytes(b"rows")
    (folder / "parts" / "j1" / ".abc.arriving").write_bytes(b"ro")
    for name in ("hub.lock", "hub.json", "session.key"):
        (folder / name).write_text(f"this is {name}")
    (folder / "away").symlink_to("/etc/hostname")
    with closing(sqlite3.connect(folder / "hub.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE loops (number INTEGER)")
        database.execute("INSERT INTO loops VALUES (7)")
        database.commit()
    return folder


def names(file: Path) -> set[str]:
    with tarfile.open(file) as packed:
        return set(packed.getnames())


@pytest.mark.parametrize("name", ["copy.tar", "copy.tar.gz", "copy.tgz"])
def test_it_holds_all_but_what_belongs_to_a_process(data: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    made = make_backup(data, file, FakeClock())
    assert names(file) == {"hub.db", "parts/j1/abc", "session.key", "backup.json"}
    assert set(made.digests) == names(file) - {"backup.json"}
    assert made.made_at == "2026-01-01T00:00:00.000Z"
    assert file.read_bytes().startswith(b"\x1f\x8b") == name.endswith("gz")
    assert read_backup(file) == made


def test_what_a_hub_has_not_moved_into_its_database_yet_is_in_the_copy(
    data: Path, tmp_path: Path
) -> None:
    """Beside `hub.db` lies what was written last, while a hub works."""
    with closing(sqlite3.connect(data / "hub.db")) as working:
        working.execute("INSERT INTO loops VALUES (8)")
        working.commit()
        assert (data / "hub.db-wal").stat().st_size > 0
        make_backup(data, tmp_path / "copy.tar", FakeClock())
    with tarfile.open(tmp_path / "copy.tar") as packed:
        packed.extract("hub.db", tmp_path / "out", filter="data")
    with closing(sqlite3.connect(tmp_path / "out" / "hub.db")) as copy:
        assert copy.execute("SELECT number FROM loops").fetchall() == [(7,), (8,)]


def test_nothing_is_left_beside_it_and_nothing_is_overwritten(data: Path, tmp_path: Path) -> None:
    make_backup(data, tmp_path / "copy.tar", FakeClock())
    assert {path.name for path in tmp_path.iterdir()} == {"hub", "copy.tar"}
    with pytest.raises(UsageError, match="is there already") as caught:
        make_backup(data, tmp_path / "copy.tar", FakeClock())
    assert caught.value.code == "E-HUB-08"


def test_a_database_that_is_none_leaves_no_backup(data: Path, tmp_path: Path) -> None:
    (data / "hub.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot be copied"):
        make_backup(data, tmp_path / "copy.tar", FakeClock())
    assert {path.name for path in tmp_path.iterdir()} == {"hub"}


def test_a_place_that_cannot_be_written_is_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written") as caught:
        make_backup(data, tmp_path / "nowhere" / "copy.tar", FakeClock())
    assert caught.value.code == "E-HUB-08"


@pytest.mark.parametrize("harm", ["cut", "changed", "lacking", "text"])
def test_a_damaged_backup_is_found_out(data: Path, tmp_path: Path, harm: str) -> None:
    file = tmp_path / "copy.tar"
    make_backup(data, file, FakeClock())
    content = file.read_bytes()
    if harm == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif harm == "changed":
        file.write_bytes(content.replace(b"rows", b"r0ws"))
    elif harm == "text":
        file.write_text("hello")
    else:
        with tarfile.open(file, "w") as packed:
            text = json.dumps({"made_at": "", "version": "", "files": {"hub.db": "1"}}).encode()
            about = tarfile.TarInfo("backup.json")
            about.size = len(text)
            packed.addfile(about, io.BytesIO(text))
    with pytest.raises(StoreError):
        read_backup(file)
