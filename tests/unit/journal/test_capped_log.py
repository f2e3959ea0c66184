"""A log that grows without end is cut in its middle."""

import os
from pathlib import Path

import pytest

from alectio_agent.agent.journal import capped_log
from alectio_agent.agent.journal.capped_log import cap_log, taken_bytes

MIB = 2**20
MOST = 4 * MIB


def write_lines(file: Path, size: int) -> None:
    line = b"%09d\n"
    with file.open("ab") as stream:
        start = stream.tell() // 10
        stream.write(b"".join(line % number for number in range(start, start + size // 10)))


def test_beginning_and_end_stay_where_they_were(tmp_path: Path) -> None:
    file = tmp_path / "digits-1-a1.log"
    write_lines(file, 8 * MIB)
    before = file.read_bytes()
    freed = cap_log(file, MOST)
    after = file.read_bytes()
    assert freed > 4 * MIB
    assert taken_bytes(file.stat()) <= MOST
    assert len(after) == len(before)
    assert after[:MIB] == before[:MIB]
    assert after[-2 * MIB :] == before[-2 * MIB :]


def test_a_log_within_its_size_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "digits-1-a1.log"
    write_lines(file, 3 * MIB)
    before = file.read_bytes()
    assert cap_log(file, MOST) == 0
    assert file.read_bytes() == before


def test_who_appends_goes_on_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "digits-1-a1.log"
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    write_lines(file, 8 * MIB)
    cap_log(file, MOST)
    os.write(opened, b"the next line\n")
    os.close(opened)
    assert file.read_bytes().endswith(b"\nthe next line\n")
    assert file.stat().st_size == 8 * MIB // 10 * 10 + 14


def test_it_is_cut_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / "digits-1-a1.log"
    for _ in range(8):
        write_lines(file, 3 * MIB)
        cap_log(file, MOST)
        assert taken_bytes(file.stat()) <= MOST
    assert file.stat().st_size > 20 * MIB


def test_without_holes_only_the_beginning_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capped_log, "punch_hole", lambda *_: False)
    file = tmp_path / "digits-1-a1.log"
    write_lines(file, 8 * MIB)
    cap_log(file, MOST)
    assert file.stat().st_size == MIB


def test_a_log_that_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    assert cap_log(tmp_path / "missing", MOST) == 0
