"""What a disk refuses, told apart."""

import errno
import os
from pathlib import Path

import pytest

from alectio_agent.core import disk_errors as module
from alectio_agent.core.disk_errors import disk_errors, room_left, store_error, try_room
from alectio_agent.core.errors import (
    ExitCode,
    StoreError,
    StoreFailingError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)


def raised(number: int, file: Path) -> StoreError:
    return store_error(file, OSError(number, os.strerror(number)))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_quota_name_the_room_and_the_mend(number: int, tmp_path: Path) -> None:
    error = raised(number, tmp_path / "missing" / "file")
    assert type(error) is StoreFullError
    assert str(tmp_path / "missing" / "file") in error.message
    assert "free on this disk" in error.message
    assert "Make room" in error.hint
    assert (error.code, error.exit_code) == ("E-DISK-06", ExitCode.TRY_AGAIN)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_what_may_not_be_written_names_the_user(number: int, tmp_path: Path) -> None:
    error = raised(number, tmp_path)
    assert type(error) is StoreReadOnlyError
    assert f"user id {os.geteuid()}" in error.hint
    assert (error.code, error.exit_code) == ("E-DISK-07", ExitCode.CONFIG)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_a_disk_that_fails_is_to_be_left(number: int, tmp_path: Path) -> None:
    error = raised(number, tmp_path)
    assert type(error) is StoreFailingError
    assert "dmesg" in error.hint
    assert error.code == "E-DISK-08"


def test_all_else_is_not_waited_for(tmp_path: Path) -> None:
    assert not isinstance(raised(errno.ENOTDIR, tmp_path), StoreUnavailableError)


def test_the_file_that_the_system_names_is_the_one_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no-such-file"), disk_errors(tmp_path):
        (tmp_path / "no-such-file").read_bytes()


def test_looking_for_room_leaves_nothing_behind(tmp_path: Path) -> None:
    assert try_room(tmp_path, 2**16) is None
    assert list(tmp_path.iterdir()) == []


def test_more_than_there_can_be_does_not_fit(tmp_path: Path) -> None:
    refusal = try_room(tmp_path, 2**42)
    # A file system may also say that no file can be so large: then there is nothing to be told.
    assert refusal is None or refusal.errno == errno.ENOSPC


def test_where_room_cannot_be_looked_for_nothing_is_said(tmp_path: Path) -> None:
    """Some file systems know no files without a name."""
    assert try_room(tmp_path / "missing", 1) is None


def test_used_up_inodes_are_told_instead_of_free_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.statvfs(tmp_path)
    without = os.statvfs_result((*found[:5], 100, 0, 0, *found[8:]))
    monkeypatch.setattr(module.os, "statvfs", lambda _: without)
    assert "inodes" in room_left(tmp_path)
