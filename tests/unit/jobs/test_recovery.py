"""What a starting agent finds."""

from pathlib import Path

import pytest

from alectio_agent.agent.jobs.recovery import end_groups, reconcile
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.journal.rows import Group
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal(tmp_path / "agent.db", FakeClock())
    opened.put_claim("boot-1", 1, make_claim(), PLATFORM)
    yield opened
    opened.close()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(MemoryDisk(), Path("/outbox"))


def complete(outbox: Outbox, step: str, **changed) -> None:
    manifest = make_manifest(make_claim(**changed), step)
    outbox.open_result(manifest.lease, step)
    outbox.complete(manifest)


def test_a_complete_result_without_message_is_queued(journal: Journal, outbox: Outbox) -> None:
    """Killed between the manifest's rename and the row."""
    complete(outbox, "train")
    reconcile(journal, outbox)
    assert journal.steps_done("lease-1") == {"train"}
    assert [job.state for job in journal.jobs()] == ["open"]


def test_the_last_result_makes_the_job_computed(journal: Journal, outbox: Outbox) -> None:
    for step in ("infer", "test", "train"):
        complete(outbox, step)
    reconcile(journal, outbox)
    first = journal.next_message(PLATFORM)
    assert first is not None
    assert first.step == "train"
    assert [job.state for job in journal.jobs()] == ["computed"]


def test_reconciling_twice_changes_nothing(journal: Journal, outbox: Outbox) -> None:
    complete(outbox, "train")
    reconcile(journal, outbox)
    reconcile(journal, outbox)
    assert journal.pending_count() == 1


def test_an_incomplete_result_is_removed(journal: Journal, outbox: Outbox) -> None:
    outbox.open_result("lease-1", "train")
    reconcile(journal, outbox)
    assert outbox.folders() == []
    assert journal.steps_done("lease-1") == set()


def test_a_result_of_an_unknown_job_is_left_alone(journal: Journal, outbox: Outbox) -> None:
    complete(outbox, "train", lease="lease-of-nobody")
    reconcile(journal, outbox)
    assert len(outbox.folders()) == 1
    assert journal.pending_count() == 0


def test_groups_of_the_last_agent_are_ended_and_forgotten(journal: Journal) -> None:
    journal.add(4242, 7, "marker")
    ended = []

    def end(group: Group) -> frozenset[int]:
        ended.append(group.pgid)
        return frozenset()

    end_groups(journal, end)
    assert ended == [4242]
    assert journal.groups() == []


def test_a_group_that_cannot_be_ended_is_tried_again_at_the_next_start(journal: Journal) -> None:
    journal.add(4242, 7, "marker")
    end_groups(journal, lambda group: frozenset({group.pgid}))
    assert [group.pgid for group in journal.groups()] == [4242]
