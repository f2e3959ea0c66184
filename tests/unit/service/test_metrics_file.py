"""The file for the textfile collector."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alectio_agent.agent.service.metrics_file import MetricsFile


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    return lambda: caplog.messages


def test_another_user_may_read_it_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        MetricsFile(tmp_path / "a.prom").write("up 1\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a.prom").read_text() == "up 1\n"
    assert (tmp_path / "a.prom").stat().st_mode & 0o777 == 0o644


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """It is another file each time, moved into the place of the one before."""
    file = MetricsFile(tmp_path / "a.prom")
    file.write("up 1\n")
    with (tmp_path / "a.prom").open() as reader:
        file.write("up 0\n" * 1000)
        assert reader.read() == "up 1\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.prom"]


def test_what_is_not_ready_is_nothing_that_the_collector_reads(tmp_path: Path) -> None:
    (tmp_path / "a.prom").mkdir()  # so that the rename fails
    MetricsFile(tmp_path / "a.prom").write("up 1\n")
    assert [each.name for each in tmp_path.glob("*.prom")] == ["a.prom"]
    assert list(tmp_path.iterdir()) == [tmp_path / "a.prom"]


def test_a_folder_that_is_missing_is_said_once_and_so_is_its_coming(
    tmp_path: Path, told: Callable[[], list[str]]
) -> None:
    folder = tmp_path / "collector"
    file = MetricsFile(folder / "a.prom")
    for _ in range(3):
        file.write("up 1\n")
    assert len(told()) == 1
    assert "a.prom cannot be written: No such file or directory" in told()[0]
    folder.mkdir()
    file.write("up 1\n")
    file.write("up 1\n")
    assert len(told()) == 2
    assert "is written again" in told()[1]
    assert (folder / "a.prom").exists()


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Others may write to the folder too: no file of the agent's user may be lost to a link."""
    (tmp_path / "precious").write_text("weights")
    for name in (".a.prom.new", "a.prom"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    MetricsFile(tmp_path / "a.prom").write("up 1\n")
    assert (tmp_path / "precious").read_text() == "weights"
    assert (tmp_path / "a.prom").read_text() == "up 1\n"
