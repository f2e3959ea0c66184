"""Logs of jobs stay below an age and a size."""

import logging
import os
from pathlib import Path

import pytest

from alectio_agent.agent.jobs.log_keeper import CAP_S, IDLE_S, LogKeeper, LogRules
from tests.support.clocks import FakeClock

DAY_S = 86400.0
KIB = 1024


class Bench:
    """Logs on the machine's own disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.also = folder / "state"
        self.folder.mkdir()
        self.also.mkdir()
        self.clock = FakeClock()
        self.keeper = LogKeeper(self.folder, self.also, LogRules(30 * DAY_S, 64 * KIB), self.clock)

    def write(self, job: int, *, days_old: float = 0.0, size: int = 100) -> Path:
        file = self.folder / f"digits-{job}-a1.log"
        file.write_bytes(b"x" * size)
        at_s = self.clock.now().timestamp() - days_old * DAY_S
        os.utime(file, (at_s, at_s))
        return file

    def left(self, *in_hand: str) -> list[str]:
        self.keeper.look(in_hand)
        return sorted(file.name for file in self.folder.iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_log_goes_when_nothing_was_written_to_it_for_a_month(bench: Bench) -> None:
    bench.write(1, days_old=31)
    bench.write(2, days_old=29)
    assert bench.left() == ["digits-2-a1.log"]


def test_the_oldest_go_when_all_are_too_large(bench: Bench) -> None:
    for job in (3, 1, 2):
        bench.write(job, days_old=job, size=30 * KIB)
    assert bench.left() == ["digits-1-a1.log", "digits-2-a1.log"]


def test_logs_of_jobs_in_hand_and_those_to_be_sent_stay(bench: Bench) -> None:
    bench.write(1, days_old=31)
    file = bench.write(2, days_old=31)
    bench.write(3, days_old=31)
    bench.keeper.followed = lambda: {file}
    assert bench.left("digits/1") == ["digits-1-a1.log", "digits-2-a1.log"]


def test_files_of_somebody_else_stay(bench: Bench) -> None:
    (bench.folder / "notes.txt").write_text("mine")
    os.utime(bench.folder / "notes.txt", (0, 0))
    assert bench.left() == ["notes.txt"]


def test_a_log_that_grows_is_cut_while_its_job_runs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert bench.keeper.cap() == IDLE_S
    file = bench.write(1, size=100 * KIB)
    bench.keeper.in_hand = lambda: [file]
    with caplog.at_level(logging.WARNING):
        assert bench.keeper.cap() == CAP_S
    assert file.stat().st_blocks * 512 <= 16 * KIB
    assert "logging.max_size" in caplog.text
    assert bench.keeper.cap() == CAP_S
    assert len(caplog.records) == 1


def test_what_hooks_print_while_they_are_looked_at_is_cut_and_never_removed(bench: Bench) -> None:
    file = bench.also / "digits.log"
    file.write_bytes(b"x" * 100 * KIB)
    os.utime(file, (0, 0))
    bench.keeper.look(())
    assert file.exists()
    assert file.stat().st_blocks * 512 <= 16 * KIB


def test_without_the_folder_there_is_nothing_to_do(tmp_path: Path) -> None:
    rules = LogRules(DAY_S, KIB)
    LogKeeper(tmp_path / "a", tmp_path / "b", rules, FakeClock()).look(())
