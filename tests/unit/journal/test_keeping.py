"""Which results may go, and which jobs may be forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.agent.journal.history import past_jobs
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.keeping import AT_ONCE, EndedResult
from alectio_agent.wire.results import JobFailure
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "agent.db", FakeClock())
    yield opened
    opened.close()


def put_job(journal: Journal, number: int, *steps: str) -> None:
    claim = make_claim(job=f"digits/{number}", loop=number, lease=f"lease-{number}")
    journal.put_claim("boot-1", number + 1, claim, PLATFORM)
    for step in steps:
        manifest = make_manifest(claim, step, key=f"{number}-{step}")
        journal.put_commit(manifest, is_last=step == steps[-1])


def settle_all(journal: Journal) -> None:
    while message := journal.next_message(PLATFORM):
        journal.settle(message)


def ended(journal: Journal) -> list[tuple[str, str]]:
    return [(result.lease, result.step) for result in journal.keeping.ended()]


def test_only_results_of_closed_jobs_that_were_acknowledged_may_go(journal: Journal) -> None:
    put_job(journal, 0, "train", "test")
    settle = journal.next_message(PLATFORM)
    assert settle is not None
    journal.settle(settle)
    assert ended(journal) == []
    settle_all(journal)
    assert ended(journal) == [("lease-0", "train"), ("lease-0", "test")]


def test_what_was_superseded_may_go_and_what_was_parked_stays(journal: Journal) -> None:
    put_job(journal, 0, "train")
    put_job(journal, 1, "train")
    journal.supersede("lease-0", "another counted")
    message = journal.next_message(PLATFORM)
    assert message is not None
    journal.park(message, "refused")
    assert ended(journal) == [("lease-0", "train")]


def test_what_is_gone_is_not_told_again(journal: Journal) -> None:
    put_job(journal, 0, "train", "test")
    settle_all(journal)
    journal.keeping.note_gone([EndedResult("lease-0", "train", "")])
    assert ended(journal) == [("lease-0", "test")]
    assert journal.steps_done("lease-0") == {"train", "test"}


def test_the_oldest_jobs_are_forgotten_once_their_files_are_gone(journal: Journal) -> None:
    for number in range(5):
        put_job(journal, number, "train")
    settle_all(journal)
    put_job(journal, 5, "train")
    gone = [result for result in journal.keeping.ended() if result.lease != "lease-1"]
    journal.keeping.note_gone(gone)
    assert journal.keeping.forget_jobs(kept=2) == 2
    assert known(journal) == ["lease-1", "lease-3", "lease-4", "lease-5"]
    assert journal.keeping.forget_jobs(kept=2) == 0
    rows = journal._database.query("SELECT DISTINCT lease FROM messages ORDER BY lease")
    assert [row["lease"] for row in rows] == known(journal)


def test_a_job_with_a_parked_result_is_never_forgotten(journal: Journal) -> None:
    put_job(journal, 0, "train")
    message = journal.next_message(PLATFORM)
    assert message is not None
    journal.park(message, "refused")
    put_job(journal, 1, "train")
    settle_all(journal)
    journal.keeping.note_gone(journal.keeping.ended())
    journal.keeping.forget_jobs(kept=1)
    assert known(journal) == ["lease-0", "lease-1"]


def test_what_a_failed_step_left_is_told_once_and_its_failure_stays(
    journal: Journal, tmp_path: Path
) -> None:
    put_job(journal, 0)
    failure = {"key": "f", "step": "test", "class": "user_code", "message": "it raised"}
    journal.put_failure("lease-0", JobFailure.model_validate(failure))
    put_job(journal, 1, "train")
    settle_all(journal)
    assert ended(journal) == [("lease-0", "test"), ("lease-1", "train")]
    assert journal.keeping.forget_jobs(kept=1) == 0, "what it left is not removed yet"
    journal.keeping.note_gone(journal.keeping.ended())
    assert ended(journal) == []
    [failed, _] = past_jobs(tmp_path, 5)
    assert failed.failure is not None
    assert (failed.failure.step, failed.failure.message) == ("test", "it raised")
    assert journal.keeping.forget_jobs(kept=1) == 1


def test_nobody_waits_long_for_a_database_in_which_much_is_forgotten(journal: Journal) -> None:
    for number in range(AT_ONCE + 30):
        put_job(journal, number)
        journal.supersede(f"lease-{number}", "another counted")
    assert journal.keeping.forget_jobs(kept=10) == AT_ONCE
    assert journal.keeping.forget_jobs(kept=10) == 20
    assert journal.keeping.forget_jobs(kept=10) == 0


def test_the_file_does_not_grow_with_jobs_that_are_forgotten(
    journal: Journal, tmp_path: Path
) -> None:
    """Pages that became free are used again, and the write-ahead log begins anew."""
    sizes = list[int]()
    for at in range(0, 600, 100):
        for number in range(at, at + 100):
            put_job(journal, number, "train", "test", "infer")
        settle_all(journal)
        journal.keeping.note_gone(journal.keeping.ended())
        journal.keeping.forget_jobs(kept=50)
        sizes.append(sum(file.stat().st_size for file in tmp_path.glob("agent.db*")))
    assert sizes[-1] <= sizes[2] * 1.05


def test_a_job_with_a_parked_failure_is_never_forgotten(journal: Journal) -> None:
    put_job(journal, 0)
    raw = {"key": "key-f", "step": "train", "class": "user_code", "message": "it raised"}
    journal.put_failure("lease-0", JobFailure.model_validate(raw))
    message = journal.next_message(PLATFORM)
    assert message is not None
    journal.park(message, "refused")
    put_job(journal, 1, "train")
    settle_all(journal)
    journal.keeping.note_gone(journal.keeping.ended())
    journal.keeping.forget_jobs(kept=1)
    assert known(journal) == ["lease-0", "lease-1"]


def test_jobs_in_hand_are_those_that_are_not_closed(journal: Journal) -> None:
    put_job(journal, 0, "train")
    settle_all(journal)
    put_job(journal, 1)
    put_job(journal, 2, "train")
    assert journal.keeping.jobs_in_hand() == {"digits/1", "digits/2"}


def known(journal: Journal) -> list[str]:
    rows = journal._database.query("SELECT lease FROM jobs ORDER BY rowid")
    return [row["lease"] for row in rows]
