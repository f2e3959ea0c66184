"""Files with holes."""

import errno
import os
from pathlib import Path

import pytest

from alectio_agent.core import sparse
from alectio_agent.core.sparse import data_end, data_parts, punch_hole

MIB = 2**20


@pytest.fixture
def opened(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"x" * 3 * MIB)
    descriptor = os.open(tmp_path / "file", os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def test_a_hole_gives_its_room_back_and_moves_nothing(opened: int) -> None:
    before = os.fstat(opened)
    if not punch_hole(opened, MIB, 2 * MIB):
        pytest.skip("this file system has no holes")
    after = os.fstat(opened)
    assert after.st_size == before.st_size
    assert (before.st_blocks - after.st_blocks) * 512 == MIB
    assert os.pread(opened, 1, MIB - 1) + os.pread(opened, 1, 2 * MIB) == b"xx"
    assert os.pread(opened, 1, MIB) == b"\0"


def test_only_whole_pages_are_dropped(opened: int) -> None:
    """The rest of a page would be wiped, and no room be won."""
    assert punch_hole(opened, 100, 5000)
    assert os.pread(opened, 5000, 0) == b"x" * 5000


def test_parts_with_data_are_found(opened: int) -> None:
    if not punch_hole(opened, MIB, 2 * MIB):
        pytest.skip("this file system has no holes")
    assert list(data_parts(opened, 3 * MIB)) == [(0, MIB), (2 * MIB, 3 * MIB)]
    assert data_end(opened, MIB + 5, 3 * MIB) == (2 * MIB, 3 * MIB)
    assert data_end(opened, MIB, MIB + 100) == (MIB + 100, MIB + 100)
    os.ftruncate(opened, 5 * MIB)
    assert data_end(opened, 4 * MIB, 5 * MIB) == (5 * MIB, 5 * MIB)


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_holes_says_so(
    opened: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse, "_fallocate", lambda: refusing(number))
    assert not punch_hole(opened, 0, MIB)


def test_any_other_refusal_is_raised(opened: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "_fallocate", lambda: refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        punch_hole(opened, 0, MIB)


def test_a_system_without_the_call_has_no_holes(
    opened: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse, "_fallocate", lambda: None)
    assert not punch_hole(opened, 0, MIB)


def refusing(number: int):
    def call(*_: int) -> int:
        sparse.ctypes.set_errno(number)
        return -1

    return call
