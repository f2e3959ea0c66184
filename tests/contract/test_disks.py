"""Checks that every disk passes: the machine's, and the one in memory that tests use."""

import errno
import os
import socket
from pathlib import Path

import pytest

from alectio_agent.agent.journal.disk import Disk, FolderLock, SystemDisk, is_at_work
from alectio_agent.core.errors import StoreBusyError, StoreError
from tests.support.disks import MemoryDisk, durable_steps, folders_that_are_synced


@pytest.fixture(params=[SystemDisk, MemoryDisk], ids=["system", "memory"])
def disk(request: pytest.FixtureRequest) -> Disk:
    made: Disk = request.param()
    return made


class TestDisk:
    def test_a_file_is_replaced_whole(self, disk: Disk, tmp_path: Path) -> None:
        disk.make_folder(tmp_path / "a")
        disk.write(tmp_path / "a" / "file", b"first")
        disk.write(tmp_path / "a" / "file", b"2nd")
        assert disk.read(tmp_path / "a" / "file") == b"2nd"

    def test_a_missing_file_reads_as_none(self, disk: Disk, tmp_path: Path) -> None:
        assert disk.read(tmp_path / "nothing") is None

    def test_folders_are_listed_by_name(self, disk: Disk, tmp_path: Path) -> None:
        for name in ("b", "a"):
            disk.make_folder(tmp_path / "outbox" / name)
        disk.write(tmp_path / "outbox" / "file", b"")
        assert [path.name for path in disk.folders(tmp_path / "outbox")] == ["a", "b"]

    def test_a_folder_is_removed_with_what_is_inside(self, disk: Disk, tmp_path: Path) -> None:
        disk.make_folder(tmp_path / "outbox" / "a")
        disk.write(tmp_path / "outbox" / "a" / "file", b"x")
        disk.remove(tmp_path / "outbox" / "a")
        assert disk.read(tmp_path / "outbox" / "a" / "file") is None
        assert disk.folders(tmp_path / "outbox") == []

    def test_a_folder_is_moved_with_what_is_inside(self, disk: Disk, tmp_path: Path) -> None:
        disk.make_folder(tmp_path / "outbox" / "a")
        disk.write(tmp_path / "outbox" / "a" / "file", b"x")
        disk.move(tmp_path / "outbox" / "a", tmp_path / "outbox" / "b")
        assert disk.read(tmp_path / "outbox" / "b" / "file") == b"x"
        assert disk.read(tmp_path / "outbox" / "a" / "file") is None
        assert [path.name for path in disk.folders(tmp_path / "outbox")] == ["b"]

    def test_removing_nothing_is_fine(self, disk: Disk, tmp_path: Path) -> None:
        disk.remove(tmp_path / "nothing")


def test_files_and_folders_of_the_system_disk_are_private(tmp_path: Path) -> None:
    disk = SystemDisk()
    disk.make_folder(tmp_path / "state")
    disk.write(tmp_path / "state" / "file", b"secret")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "file").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["folder", "pipe", "socket"])
def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody writes to would hold up every start."""
    odd = tmp_path / "manifest.json"
    if kind == "folder":
        odd.mkdir()
    elif kind == "pipe":
        os.mkfifo(odd)
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(odd))
        listening.close()
    with pytest.raises(StoreError, match=r"manifest\.json: "):
        SystemDisk().read(odd)


def test_links_are_followed_to_read_and_only_unlinked_to_remove(tmp_path: Path) -> None:
    """Somebody may have moved a large result to another disk."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "manifest.json").write_bytes(b"{}")
    (tmp_path / "outbox").mkdir()
    link = tmp_path / "outbox" / "lease.train"
    link.symlink_to(elsewhere)
    (tmp_path / "outbox" / "nowhere").symlink_to(tmp_path / "gone")
    disk = SystemDisk()
    assert disk.folders(tmp_path / "outbox") == [link]
    assert disk.read(link / "manifest.json") == b"{}"
    disk.remove(link)
    assert (elsewhere / "manifest.json").exists()
    assert not link.is_symlink()


def test_a_file_is_durable_before_its_name_and_its_name_before_the_call_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another order a power cut leaves an empty manifest under its name."""
    steps = durable_steps(monkeypatch)
    SystemDisk().write(tmp_path / "manifest.json", b"{}")
    assert steps == [
        ("fsync", ".manifest.json.tmp"),
        ("rename", "manifest.json"),
        ("fsync", tmp_path.name),
    ]


def test_a_tree_is_durable_from_the_files_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "weights").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "log")
    steps = durable_steps(monkeypatch)
    SystemDisk().sync_tree(tmp_path)
    assert steps[:3] == [("fsync", "weights"), ("fsync", "log"), ("fsync", tmp_path.name)]


def test_a_moved_folder_has_its_new_name_durably(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    steps = durable_steps(monkeypatch)
    SystemDisk().move(tmp_path / "a", tmp_path / "b")
    assert steps == [("fsync", tmp_path.name)]


def test_an_error_of_the_machine_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="file"):
        SystemDisk().make_folder(tmp_path / "file" / "below")


def test_a_busy_state_folder_names_the_process_and_the_mend(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(StoreBusyError, match=r"process \d+") as caught:
        FolderLock(tmp_path)
    assert caught.value.exit_code == 75
    assert "agent.state_dir" in caught.value.hint
    lock.release()
    FolderLock(tmp_path).release()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_is_not_taken_for_another_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As NFS without its lock daemon answers."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StoreError, match="cannot lock it") as caught:
        FolderLock(tmp_path)
    assert not isinstance(caught.value, StoreBusyError)
    assert str(caught.value).startswith("E-DISK-05")
    assert "disk of this machine" in caught.value.hint
    assert not is_at_work(tmp_path)


def test_a_lock_that_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(StoreError, match="lock: "):
        FolderLock(tmp_path)
    (tmp_path / "lock").rmdir()
    os.mkfifo(tmp_path / "lock")
    with pytest.raises(StoreError, match="lock: "):
        FolderLock(tmp_path)


def test_the_name_of_a_synced_folder_is_durable_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut takes a young folder of checkpoints away with all that is synced in it."""
    experiment = tmp_path / "checkpoints" / "xray"
    experiment.mkdir(parents=True)
    (experiment / "xray-ckpt_0").write_bytes(b"weights")
    synced = folders_that_are_synced(monkeypatch)
    SystemDisk().sync_tree(experiment)
    assert synced == [experiment, experiment.parent, tmp_path]
