"""The agent's memory."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.opening import open_journal
from alectio_agent.agent.journal.outbox import Manifest
from alectio_agent.agent.journal.rows import MIGRATIONS, SCHEMA_NUMBER
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import StoreVersionError
from alectio_agent.core.sqlite import Database
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import JobFailure
from tests.support.claims import PLATFORM, make_claim, make_manifest


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal(tmp_path / "agent.db", SystemClock())
    yield opened
    opened.close()


def failure(key: str = "key-fail") -> JobFailure:
    return JobFailure.model_validate(
        {"key": key, "step": "test", "class": "user_code", "message": "it raised"}
    )


def test_a_claim_and_its_number_are_remembered_together(journal: Journal, tmp_path: Path) -> None:
    journal.put_claim("boot-1", 5, make_claim(), PLATFORM)
    again = Journal(tmp_path / "agent.db", SystemClock())
    assert again.last_seq("boot-1") == 5
    assert [(job.claim, job.state) for job in again.jobs(PLATFORM)] == [(make_claim(), "open")]
    again.close()


def test_only_jobs_in_hand_have_a_name(journal: Journal) -> None:
    """The record of what leaves calls them as people do, also after a restart."""
    for number in (1, 2):
        claim = make_claim(lease=f"lease-{number}", job_id=f"job-{number}", job=f"digits/{number}")
        journal.put_claim("boot-1", number, claim, PLATFORM)
    journal.supersede("lease-1", "another attempt was counted")
    assert journal.job_names() == {"job-2": "digits/2"}


def test_jobs_without_a_step_to_do_come_without_their_samples(journal: Journal) -> None:
    """After an outage there may be hundreds, and each may name a million."""
    for number in (1, 2):
        claim = make_claim(lease=f"lease-{number}", job_id=f"job-{number}")
        journal.put_claim("boot-1", number, claim, PLATFORM)
    journal.put_failure("lease-1", failure())
    computed, still_open = journal.jobs()
    assert computed.claim == make_claim().without_samples()
    assert [order.payload.model_dump() for order in computed.claim.steps] == [
        {
            "resume_from": "digits-ckpt_0", "ckpt_file": "digits-ckpt_1",
            "labeled": [], "labels": None,
        },
        {"ckpt_file": "digits-ckpt_1"},
        {"ckpt_file": "digits-ckpt_1", "unlabeled": []},
    ]  # fmt: skip
    assert still_open.claim == make_claim(lease="lease-2", job_id="job-2")
    assert journal.leases() == ["lease-1", "lease-2"]


def stored(tmp_path: Path) -> list[dict]:
    """The claims as they lie on disk."""
    with closing(sqlite3.connect(tmp_path / "agent.db")) as reader:
        return [json.loads(claim) for (claim,) in reader.execute("SELECT claim FROM jobs")]


def test_samples_leave_the_disk_with_the_last_step(journal: Journal, tmp_path: Path) -> None:
    claim = make_claim(class_names=["\u00e4 'quoted'", "b", "c"])
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    journal.put_commit(make_manifest(claim, "train"), is_last=False)
    assert stored(tmp_path) == [claim.model_dump(mode="json")]
    journal.put_commit(make_manifest(claim, "infer"), is_last=True)
    assert stored(tmp_path) == [claim.without_samples().model_dump(mode="json")]


def test_samples_of_a_superseded_attempt_leave_the_disk(journal: Journal, tmp_path: Path) -> None:
    journal.put_claim("boot-1", 1, make_claim(), PLATFORM)
    journal.supersede("lease-1", "another attempt counted")
    assert stored(tmp_path) == [make_claim().without_samples().model_dump(mode="json")]
    assert journal.leases() == []


def test_numbers_of_claims_start_at_zero_in_each_boot(journal: Journal) -> None:
    journal.skip_claim("boot-1", 9)
    assert journal.last_seq("boot-2") == 0


def test_messages_come_in_the_order_in_which_they_were_put(journal: Journal) -> None:
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    for step in ("train", "test", "infer"):
        journal.put_commit(make_manifest(claim, step), is_last=step == "infer")
    seen = []
    while message := journal.next_message(PLATFORM):
        seen.append(message.step)
        closed = journal.settle(message)
    assert seen == ["train", "test", "infer"]
    assert closed
    assert journal.jobs() == []


def test_a_job_is_not_closed_while_steps_are_to_do(journal: Journal) -> None:
    """Between delivery of `train` and the end of `test` the outbox is empty for a moment."""
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    journal.put_commit(make_manifest(claim, "train"), is_last=False)
    message = journal.next_message(PLATFORM)
    assert message is not None
    assert not journal.settle(message)
    assert [job.state for job in journal.jobs()] == ["open"]


def test_the_same_result_is_queued_once(journal: Journal) -> None:
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    for _ in range(2):
        journal.put_commit(make_manifest(claim, "train"), is_last=False)
    assert journal.unsent().messages == 1


def test_messages_for_another_platform_are_kept_and_never_handed_out(journal: Journal) -> None:
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, "platform-2")
    journal.put_commit(make_manifest(claim, "train"), is_last=False)
    assert journal.next_message(PLATFORM) is None
    assert journal.unsent().messages == 1
    assert journal.jobs(PLATFORM) == []


def test_a_lost_lease_supersedes_what_was_not_delivered_and_closes_the_job(
    journal: Journal,
) -> None:
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    journal.put_commit(make_manifest(claim, "train"), is_last=False)
    journal.supersede(claim.lease, "another attempt counted")
    assert journal.next_message(PLATFORM) is None
    assert journal.jobs() == []


def superseded_attempt(journal: Journal) -> Claim:
    """The attempt with a result whose lease was lost."""
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    journal.put_commit(make_manifest(claim, "train"), is_last=False)
    journal.supersede(claim.lease, "a person took it back")
    return claim


def test_an_attempt_that_is_closed_sends_no_failure_behind_what_never_arrived(
    journal: Journal,
) -> None:
    """Deliveries learn of a lost lease before the job itself does, and then a stop comes."""
    claim = superseded_attempt(journal)
    journal.put_failure(claim.lease, failure())
    assert journal.next_message(PLATFORM) is None
    assert journal.jobs() == []


def test_a_result_of_an_attempt_that_is_closed_is_kept_as_superseded(journal: Journal) -> None:
    claim = superseded_attempt(journal)
    journal.put_commit(make_manifest(claim, "test"), is_last=False)
    assert journal.next_message(PLATFORM) is None
    assert journal.steps_done(claim.lease) == {"train", "test"}
    (_, late) = journal._database.query("SELECT * FROM messages ORDER BY id")
    assert (late["state"], late["reason"]) == (
        "superseded",
        "its attempt was over before it was there",
    )
    assert [ended.step for ended in journal.keeping.ended()] == ["train", "test"]


def test_a_parked_message_does_not_hold_up_the_failure_behind_it(journal: Journal) -> None:
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    journal.put_commit(make_manifest(claim, "train"), is_last=False)
    journal.put_failure(claim.lease, failure())
    first = journal.next_message(PLATFORM)
    assert first is not None
    assert not journal.park(first, "invalid: no")
    second = journal.next_message(PLATFORM)
    assert second is not None
    assert second.kind == "fail"
    assert journal.settle(second)


def test_steps_with_a_durable_result_are_known(journal: Journal) -> None:
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    journal.put_commit(make_manifest(claim, "train"), is_last=False)
    assert journal.steps_done(claim.lease) == {"train"}


def test_process_groups_are_remembered_until_they_end(journal: Journal) -> None:
    journal.add(4242, 99, "marker")
    assert [(group.pgid, group.start_time, group.marker) for group in journal.groups()] == [
        (4242, 99, "marker")
    ]
    journal.remove(4242)
    assert journal.groups() == []


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Database(tmp_path / "agent.db", "CREATE TABLE t (x)", 99).close()
    with pytest.raises(StoreVersionError, match="newer"):
        Journal(tmp_path / "agent.db", SystemClock())


# As the first version made it; never changed, whatever becomes of the schema.
V1 = """
PRAGMA journal_mode=WAL;
CREATE TABLE counters (boot TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE jobs (
    lease TEXT PRIMARY KEY, platform_id TEXT NOT NULL, job_id TEXT NOT NULL, job TEXT NOT NULL,
    claim TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open', 'computed', 'closed')),
    outcome TEXT NOT NULL DEFAULT '', claimed_at TEXT NOT NULL);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, lease TEXT NOT NULL REFERENCES jobs (lease), kind TEXT NOT NULL,
    step TEXT, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'settled', 'superseded', 'parked')),
    reason TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL, ended_at TEXT);
CREATE INDEX messages_by_state ON messages (state, id);
CREATE INDEX messages_by_lease ON messages (lease);
CREATE TABLE groups (
    pgid INTEGER PRIMARY KEY, start_time INTEGER NOT NULL, marker TEXT NOT NULL);
INSERT INTO counters VALUES ('boot-1', 4);
INSERT INTO groups VALUES (4242, 99, 'marker');
PRAGMA user_version=1;
"""


def test_a_journal_of_the_first_version_is_gone_on_with(tmp_path: Path) -> None:
    """A file made by hand: the program that wrote it is not here any more."""
    claim, claimed_at = make_claim(), "2026-01-01T00:00:00.000Z"
    manifest = make_manifest(claim, "train").model_dump(mode="json", by_alias=True)
    del manifest["origin"]
    connection = sqlite3.connect(tmp_path / "agent.db")
    connection.executescript(V1)
    job = (claim.lease, PLATFORM, claim.job_id, claim.job, claim.model_dump_json(), claimed_at)
    connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, 'open', '', ?)", job)
    connection.execute(
        "INSERT INTO messages (lease, kind, step, key, body, state, created_at) "
        "VALUES (?, 'commit', 'train', 'key-train', ?, 'pending', ?)",
        (claim.lease, json.dumps(manifest), claimed_at),
    )
    connection.commit()
    connection.close()
    opened = open_journal(tmp_path / "agent.db", SystemClock())
    journal = opened.journal
    assert not opened.is_new
    assert [(job.claim, job.state) for job in journal.jobs(PLATFORM)] == [(claim, "open")]
    assert (journal.last_seq("boot-1"), len(journal.groups())) == (4, 1)
    message = journal.next_message(PLATFORM)
    assert message is not None
    assert Manifest.model_validate_json(message.body) == make_manifest(claim, "train")
    assert not journal.settle(message)
    journal.close()


def test_there_is_a_step_to_each_schema() -> None:
    assert list(MIGRATIONS) == list(range(2, SCHEMA_NUMBER + 1))
