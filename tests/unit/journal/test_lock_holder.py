"""Whether an agent works in a folder is found out without its lock."""

import os
from pathlib import Path

from alectio_agent.agent.journal.disk import FolderLock
from alectio_agent.agent.journal.lock_holder import lock_holder


def test_the_holder_is_named_as_long_as_it_holds_the_lock(tmp_path: Path) -> None:
    assert lock_holder(tmp_path) is None
    lock = FolderLock(tmp_path)
    assert lock_holder(tmp_path) == os.getpid()
    lock.release()
    assert lock_holder(tmp_path) is None


def test_a_folder_or_list_that_cannot_be_read_has_no_holder(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "nowhere") is None
    lock = FolderLock(tmp_path)
    assert lock_holder(tmp_path, locks=tmp_path / "nowhere") is None
    lock.release()


def test_the_lock_of_another_file_or_process_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("4711\n")
    inode = (tmp_path / "lock").stat().st_ino
    locks = tmp_path / "locks"
    for line in (
        f"1: FLOCK  ADVISORY  WRITE 4711 08:01:{inode}0 0 EOF",
        f"1: FLOCK  ADVISORY  WRITE 4712 08:01:{inode} 0 EOF",
        f"1: POSIX  ADVISORY  WRITE 4711 08:01:{inode} 0 EOF",
        "1: -> FLOCK",
    ):
        locks.write_text(line + "\n")
        assert lock_holder(tmp_path, locks) is None, line
    locks.write_text(f"1: FLOCK  ADVISORY  WRITE 4711 08:01:{inode} 0 EOF\n")
    assert lock_holder(tmp_path, locks) == 4711
