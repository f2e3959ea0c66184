"""What people do with the outbox: what was refused goes again, what was carried is noted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.agent.jobs.carried import Ended, Verdict, note_verdicts
from alectio_agent.agent.journal.by_hand import entries
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.wire.results import JobFailure
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock

PART = {"sha256": "a" * 64, "bytes": 10, "rows": 1}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """All three results of a job wait."""
    made = Journal(tmp_path / "agent.db", FakeClock())
    claim = make_claim()
    made.put_claim("boot-1", 1, claim, PLATFORM)
    for step in ("train", "test", "infer"):
        parts = {"parts": [PART], "files": ["p"]} if step == "infer" else {}
        made.put_commit(make_manifest(claim, step, **parts), is_last=step == "infer")
    yield made
    made.close()


def states(journal: Journal) -> dict[str, str]:
    return {key: state for key, (state, _) in journal.by_hand.ends().items()}


def refuse_test(journal: Journal) -> JobFailure:
    """As the sender does."""
    train = journal.next_message(PLATFORM)
    assert train is not None
    journal.settle(train)
    message = journal.next_message(PLATFORM)
    assert message is not None
    failure = JobFailure.of("rejected", "no", "2026-01-01T00:00:00.000Z", step="test")
    journal.reject(message, "invalid: a column is missing", failure)
    return failure


def bodies(journal: Journal, *steps: str) -> int:
    """Bytes of their messages."""
    rows = journal.by_hand._database.query("SELECT step, kind, body FROM messages")
    return sum(
        len(str(row["body"]).encode())
        for row in rows
        if row["kind"] == "commit" and row["step"] in steps
    )


def test_what_was_refused_goes_again_with_what_was_behind_it(journal: Journal) -> None:
    failure = refuse_test(journal)
    assert states(journal) == {
        "key-train": "settled", "key-test": "parked", "key-infer": "parked", failure.key: "pending",
    }  # fmt: skip
    parked = journal.by_hand.parked
    assert (parked.messages, parked.size_bytes) == (2, 10 + bodies(journal, "test", "infer"))
    assert journal.by_hand.retry("other/1") == 0
    assert journal.by_hand.retry("digits/1") == 2
    assert states(journal) == {
        "key-train": "settled", "key-test": "pending", "key-infer": "pending",
        failure.key: "superseded",
    }  # fmt: skip
    message = journal.next_message(PLATFORM)
    assert message is not None
    assert message.key == "key-test", "in order, under the old key"
    assert journal.by_hand.retry() == 0
    assert journal.settle(message) is False
    last = journal.next_message(PLATFORM)
    assert last is not None
    assert journal.settle(last) is True, "then the job is over"


def test_a_refusal_that_the_platform_knows_of_goes_again_as_well(journal: Journal) -> None:
    failure = refuse_test(journal)
    told = journal.next_message(PLATFORM)
    assert told is not None
    assert journal.settle(told) is True
    assert journal.by_hand.retry() == 2
    assert states(journal)[failure.key] == "settled"
    assert journal.leases() == ["lease-1"], "its lease is in hand again"


def test_the_list_has_what_waits_and_on_demand_what_was_delivered(journal: Journal) -> None:
    refuse_test(journal)
    run = journal.by_hand._database.query
    assert [(each.step, each.kind, each.state) for each in entries(run)] == [
        ("test", "commit", "parked"), ("infer", "commit", "parked"), ("test", "fail", "pending"),
    ]  # fmt: skip
    everything = entries(run, are_all=True)
    assert [each.state for each in everything] == ["settled", "parked", "parked", "pending"]
    assert everything[1].size_bytes == bodies(journal, "test"), "small: it is in the message"
    assert everything[2].size_bytes == bodies(journal, "infer") + 10, "and has a file"
    assert everything[1].reason == "invalid: a column is missing"


def note(journal: Journal, *verdicts: Verdict, platform: str = PLATFORM) -> tuple[int, list[Ended]]:
    told: list[Ended] = []
    return note_verdicts(journal, platform, verdicts, told.append), told


def test_a_receipt_closes_the_job_once(journal: Journal) -> None:
    said = [Verdict(f"key-{step}", "accepted") for step in ("train", "test", "infer")]
    count, told = note(journal, *said)
    assert count == 3
    assert [ended.is_closed for ended in told] == [False, False, True]
    assert set(states(journal).values()) == {"settled"}
    assert note(journal, *said) == (0, [])


def test_a_receipt_of_another_platform_or_of_unknown_results_changes_nothing(
    journal: Journal,
) -> None:
    assert note(journal, Verdict("key-train", "accepted"), platform="platform-2") == (0, [])
    assert note(journal, Verdict("key-nobody", "accepted")) == (0, [])
    assert journal.unsent().messages == 3


def test_what_another_attempt_counts_for_ends_the_whole_attempt(journal: Journal) -> None:
    count, [ended] = note(journal, Verdict("key-train", "superseded", "another was first"))
    assert count == 1
    assert (ended.is_closed, ended.is_lost, ended.reason) == (True, True, "another was first")
    assert set(states(journal).values()) == {"superseded"}


def test_what_was_refused_there_is_parked_and_fails_nothing_here(journal: Journal) -> None:
    """The platform was told of the failure by whoever carried the result."""
    reasons = [Verdict(f"key-{step}", "refused", "no") for step in ("train", "test", "infer")]
    count, told = note(journal, *reasons)
    assert (count, told[-1].is_closed) == (3, True)
    assert set(states(journal).values()) == {"parked"}
    assert len(states(journal)) == 3
