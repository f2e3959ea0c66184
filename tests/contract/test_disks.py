"""Checks that every disk passes: the machine's, and the one in memory that tests use."""

from pathlib import Path

import pytest

from alectio_agent.agent.journal.disk import Disk, FolderLock, SystemDisk
from alectio_agent.core.errors import StoreBusyError, StoreError
from tests.support.disks import MemoryDisk, folders_that_are_synced


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

    def test_removing_nothing_is_fine(self, disk: Disk, tmp_path: Path) -> None:
        disk.remove(tmp_path / "nothing")


def test_files_and_folders_of_the_system_disk_are_private(tmp_path: Path) -> None:
    disk = SystemDisk()
    disk.make_folder(tmp_path / "state")
    disk.write(tmp_path / "state" / "file", b"secret")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "file").stat().st_mode & 0o777 == 0o600


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
