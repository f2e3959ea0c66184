"""A full disk takes the lines of a log, and not the training that prints them."""

import errno
import io
import os
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.child.prints import ForgivingFile


class Disk:
    """A descriptor's disk that refuses when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        self._write = os.write
        monkeypatch.setattr("os.write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.number:
            raise OSError(self.number, os.strerror(self.number))
        return self._write(descriptor, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def log(tmp_path: Path):
    opened = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield opened
    os.close(opened)


def stream(descriptor: int) -> io.TextIOWrapper:
    raw = ForgivingFile(descriptor, "<stdout>")
    return io.TextIOWrapper(io.BufferedWriter(raw), line_buffering=True)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_what_finds_no_room_is_lost_and_counted(
    number: int, disk: Disk, log: int, tmp_path: Path
) -> None:
    prints = stream(log)
    print("epoch 1", file=prints)
    disk.number = number
    print("epoch 2", file=prints)
    print("epoch 3", file=prints)
    disk.number = 0
    print("epoch 4", file=prints)
    assert (tmp_path / "log").read_text() == (
        f"epoch 1\n\n[... 16 bytes could not be written here: {os.strerror(number)} ...]\nepoch 4\n"
    )


def test_any_other_error_is_raised(disk: Disk, log: int) -> None:
    prints = stream(log)
    disk.number = errno.EBADF
    with pytest.raises(OSError, match="Bad file"):
        print("epoch 1", file=prints)
    disk.number = 0


def test_it_looks_like_the_stream_that_it_stands_for(log: int) -> None:
    prints = stream(log)
    assert prints.fileno() == log
    assert prints.name == "<stdout>"
    assert not prints.isatty()
