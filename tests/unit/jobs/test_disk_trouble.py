"""Who waits for the disk, and how that is told."""

import logging
from pathlib import Path

import pytest

from alectio_agent.agent.jobs import disk_trouble as module
from alectio_agent.agent.jobs.disk_trouble import AGAIN_S, CLAIMS, DiskTrouble, Storage
from alectio_agent.agent.journal.reserve import Reserve
from alectio_agent.core.errors import StoreFailingError, StoreFullError

FULL = StoreFullError("/srv/agent.db: No space left", hint="Make room")
FAILING = StoreFailingError("/srv/agent.db: Input/output error")


class Bench:
    """Trouble with a real folder and a journal that may refuse."""

    def __init__(self, folder: Path) -> None:
        self.reserve = Reserve(folder)
        self.refusal: Exception | None = None
        self.asked = 0
        self.trouble = DiskTrouble(Storage(folder, self.reserve, self.write))

    def write(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def ask(self) -> None:
        self.asked += 1


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_an_outage_is_told_once_when_it_changes_and_when_it_is_over(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for error in (FULL, FULL, FAILING, FULL):
            bench.trouble.met("digits/3", error)
        bench.trouble.met("the delivery of results", FULL)
        bench.trouble.over("digits/3")
        bench.trouble.over("the delivery of results")
        bench.trouble.over("the delivery of results")
        bench.trouble.met("digits/3", FULL)
    told = [record.getMessage().splitlines()[0] for record in caplog.records]
    assert told == [
        "digits/3 waits, and loses nothing: E-DISK-06  /srv/agent.db: No space left",
        "digits/3 waits, and loses nothing: E-DISK-08  /srv/agent.db: Input/output error",
        "the disk takes again what is written",
        "digits/3 waits, and loses nothing: E-DISK-06  /srv/agent.db: No space left",
    ]
    assert "Make room" in caplog.records[0].getMessage()


def test_it_is_shown_who_waits_and_why(bench: Bench) -> None:
    assert bench.trouble.text == ""
    bench.trouble.met("digits/3", FULL)
    assert bench.trouble.text == "digits/3 waits: E-DISK-06 /srv/agent.db: No space left"
    assert bench.trouble.reason() == "E-DISK-06 /srv/agent.db: No space left"
    bench.trouble.over("digits/3")
    assert bench.trouble.text == bench.trouble.reason() == ""


class TestRoom:
    def test_what_is_set_aside_goes_for_what_comes_after_work_only(self, bench: Bench) -> None:
        bench.reserve.keep()
        assert bench.trouble.met("digits/3", FULL) == AGAIN_S
        assert bench.trouble.met("digits/3", FULL, after_work=True) == 0
        assert bench.trouble.met("digits/3", FULL, after_work=True) == AGAIN_S

    def test_a_broken_disk_is_not_given_more_room(self, bench: Bench) -> None:
        bench.reserve.keep()
        bench.trouble.on_full = bench.ask
        assert bench.trouble.met("digits/3", FAILING, after_work=True) == AGAIN_S
        assert bench.reserve.give()
        assert bench.asked == 0

    def test_whoever_makes_room_is_called(self, bench: Bench) -> None:
        bench.trouble.on_full = bench.ask
        bench.trouble.met("digits/3", FULL)
        assert bench.asked == 1


class TestClaims:
    """Nobody tries again to write down a claim: the next is asked for when it would fit."""

    def test_jobs_are_asked_for_once_the_journal_takes_something(self, bench: Bench) -> None:
        bench.refusal = FAILING
        bench.trouble.met(CLAIMS, FAILING)
        assert "Input/output" in bench.trouble.reason()
        bench.refusal = None
        assert bench.trouble.reason() == ""
        assert bench.trouble.text == ""

    def test_each_claim_that_does_not_fit_asks_for_more_room_before_the_next(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[int] = []
        monkeypatch.setattr(module, "try_room", lambda _, size: tried.append(size))
        for _ in range(8):
            bench.trouble.met(CLAIMS, FULL)
            bench.trouble.reason()
        assert tried == [2**number * 2**20 for number in (1, 2, 3, 4, 5, 6, 6, 6)]
        bench.trouble.over(CLAIMS)
        bench.trouble.met(CLAIMS, FULL)
        bench.trouble.reason()
        assert tried[-1] == 2 * 2**20

    def test_while_a_job_waits_nothing_is_tried(self, bench: Bench) -> None:
        """It does so itself."""
        bench.refusal = RuntimeError("tried")
        bench.trouble.met("digits/3", FULL)
        assert bench.trouble.reason() != ""
