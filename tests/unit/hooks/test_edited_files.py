"""When a hook process has read a file that is no longer the same."""

import os
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.edited_files import EditedFiles


class Wall:
    """A wall clock that is turned by hand."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "processes.py"
    made.write_text("A = 1\n")
    return made


def test_nothing_changed(file: Path) -> None:
    watch = EditedFiles([file], Wall())
    assert watch.changed() is None
    assert watch.changed() is None


def test_another_content_of_the_same_size_is_an_edit(file: Path) -> None:
    watch = EditedFiles([file], Wall())
    file.write_text("A = 2\n")
    assert watch.changed() == file


def test_an_edit_that_keeps_the_time_of_the_file_is_seen(file: Path) -> None:
    """As `rsync --times` or `cp -p` leave it."""
    watch = EditedFiles([file], Wall())
    before = file.stat()
    file.write_text("A = 2\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watch.changed() == file


def test_the_same_content_written_again_is_no_edit(file: Path) -> None:
    watch = EditedFiles([file], Wall())
    file.unlink()
    file.write_text("A = 1\n")
    assert watch.changed() is None
    os.utime(file, ns=(1, 1))
    assert watch.changed() is None


def test_a_file_that_is_gone_is_an_edit_and_one_that_comes_too(file: Path) -> None:
    watch = EditedFiles([file], Wall())
    file.unlink()
    assert watch.changed() == file
    watch = EditedFiles([file], Wall())
    assert watch.changed() is None
    file.touch()
    assert watch.changed() == file


def test_a_module_is_watched_from_its_first_report_on(file: Path) -> None:
    wall = Wall()
    watch = EditedFiles([], wall)
    watch.note([file])
    assert watch.changed() is None
    file.write_text("A = 2\n")
    watch.note([file])
    assert watch.changed() == file


def test_a_module_edited_between_start_and_first_report_may_have_been_read_before(
    file: Path,
) -> None:
    wall = Wall()
    wall.ns = file.stat().st_ctime_ns - 1
    watch = EditedFiles([], wall)
    wall.ns += 10**9
    watch.note([file])
    assert watch.changed() == file


def test_a_time_in_the_future_says_nothing(file: Path) -> None:
    """A file server's clock that is ahead must not make every process look outdated."""
    wall = Wall()
    wall.ns = file.stat().st_ctime_ns - 10**9
    watch = EditedFiles([], wall)
    watch.note([file])
    assert watch.changed() is None
