"""Files are replaced whole, and a shared one cannot be changed by accident."""

import errno
import os
from pathlib import Path

import pytest

from alectio_agent.hub.results import files
from alectio_agent.hub.results.files import put_same, replacing, write_text


def test_a_file_is_replaced_by_a_new_one(tmp_path: Path) -> None:
    """Whoever has the old one open reads it to its end."""
    path = tmp_path / "loops.csv"
    write_text(path, "old\n")
    with path.open() as reader:
        assert write_text(path, "new\n")
        assert reader.read() == "old\n"
    assert path.read_text() == "new\n"
    assert [file.name for file in tmp_path.iterdir()] == ["loops.csv"]


def test_a_file_that_says_the_same_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "loops.csv"
    write_text(path, "same\n")
    inode = path.stat().st_ino
    assert not write_text(path, "same\n")
    assert path.stat().st_ino == inode


def test_half_a_character_is_written_as_its_escape(tmp_path: Path) -> None:
    """JSON can hold one; a name with it must not keep all files from being written."""
    write_text(tmp_path / "x", '"\ud800"')
    assert (tmp_path / "x").read_text() == '"\\ud800"'


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "loops.csv"
    write_text(path, "old\n")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old\n"
    assert [file.name for file in tmp_path.iterdir()] == ["loops.csv"]


NO_PROCESS = 2**22 + 1
"""Linux gives no number above 2**22."""


def test_what_a_killed_process_left_is_removed_at_the_next_write(tmp_path: Path) -> None:
    for name in ("a", "loop_9.npz"):
        (tmp_path / f".{name}.{NO_PROCESS}.new").write_text("half")
    (tmp_path / f".a.{os.getpid()}.new").write_text("half")
    (tmp_path / f".a.{os.getpid()}.new").chmod(0o400)
    write_text(tmp_path / "a", "whole")
    (tmp_path / f".b.{NO_PROCESS}.new").write_text("half")
    put_same(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "whole"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b"]


def test_two_processes_that_write_one_file_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub was killed, and its results process still writes when the next hub's begins."""
    path = tmp_path / "loops.csv"
    with replacing(path) as file:
        file.write(b"of the first")
        with monkeypatch.context() as other:
            other.setattr(files.os, "getpid", lambda: NO_PROCESS)
            write_text(path, "of the second")
        assert path.read_text() == "of the second"
    assert path.read_text() == "of the first"
    assert [file.name for file in tmp_path.iterdir()] == ["loops.csv"]


def test_a_part_and_its_other_name_share_the_disk_and_are_read_only(tmp_path: Path) -> None:
    """`numpy.savez` on the results file would otherwise write into the hub's own part."""
    part = tmp_path / "part"
    part.write_bytes(b"rows")
    part.chmod(0o600)
    put_same(part, tmp_path / "loop_0.npz")
    assert part.samefile(tmp_path / "loop_0.npz")
    assert part.stat().st_mode & 0o222 == 0
    assert part.stat().st_mode & 0o400


def test_the_same_part_again_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"rows")
    for _ in range(2):
        put_same(tmp_path / "part", tmp_path / "loop_0.npz")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["loop_0.npz", "part"]


def test_without_links_the_content_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(files.os, "link", refuse)
    (tmp_path / "part").write_bytes(b"rows" * 1000)
    put_same(tmp_path / "part", tmp_path / "loop_0.npz")
    assert (tmp_path / "loop_0.npz").read_bytes() == b"rows" * 1000
    assert not (tmp_path / "part").samefile(tmp_path / "loop_0.npz")


def test_a_part_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        put_same(tmp_path / "part", tmp_path / "loop_0.npz")
