"""What a starting agent finds."""

from pathlib import Path

import pytest

from alectio_agent.agent.jobs.recovery import end_groups, reconcile
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.journal.rows import Group
from alectio_agent.core.errors import StoreVersionError
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


@pytest.mark.parametrize("lease", ["lease-1", "lease-of-a-lost-journal"])
def test_a_result_is_made_durable_before_it_is_queued(
    journal: Journal, outbox: Outbox, disk: MemoryDisk, lease: str
) -> None:
    """Killed between the manifest's rename and the sync of its folder's name."""
    manifest = make_manifest(make_claim(lease=lease), "train")
    folder = outbox.open_result(lease, "train")
    disk.write(folder / "manifest.json", manifest.text.encode())
    reconcile(journal, outbox)
    disk.cut_power()
    assert outbox.folders() == [folder]
    assert outbox.read(folder) == manifest
    assert journal.steps_done(lease) == {"train"}


def test_results_that_are_queued_cost_no_sync_at_the_next_start(
    journal: Journal, outbox: Outbox, disk: MemoryDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(outbox, "train")
    reconcile(journal, outbox)
    synced = list[Path]()
    monkeypatch.setattr(disk, "sync_folder", synced.append)
    reconcile(journal, outbox)
    assert synced == []


def test_reconciling_twice_changes_nothing(journal: Journal, outbox: Outbox) -> None:
    complete(outbox, "train")
    reconcile(journal, outbox)
    reconcile(journal, outbox)
    assert journal.unsent().messages == 1


def test_an_incomplete_result_is_removed(journal: Journal, outbox: Outbox) -> None:
    outbox.open_result("lease-1", "train")
    reconcile(journal, outbox)
    assert outbox.folders() == []
    assert journal.steps_done("lease-1") == set()


def folder_of(outbox: Outbox, step: str, lease: str = "lease-1") -> Path:
    return outbox.result_folder(lease, step)


@pytest.fixture
def disk(outbox: Outbox) -> MemoryDisk:
    return outbox._disk  # type: ignore[return-value]


def damage(outbox: Outbox, disk: MemoryDisk, step: str, lease: str = "lease-1") -> None:
    disk.write(folder_of(outbox, step, lease) / "manifest.json", b'{"platform_id": "plat')


def test_a_damaged_manifest_is_written_anew_from_its_message(
    journal: Journal, outbox: Outbox, disk: MemoryDisk
) -> None:
    complete(outbox, "train")
    reconcile(journal, outbox)
    damage(outbox, disk, "train")
    reconcile(journal, outbox)
    assert outbox.read(folder_of(outbox, "train")) == make_manifest(make_claim(), "train")
    assert journal.unsent().messages == 1


def test_a_damaged_manifest_without_message_is_moved_aside_and_its_step_run_again(
    journal: Journal, outbox: Outbox, disk: MemoryDisk, caplog: pytest.LogCaptureFixture
) -> None:
    complete(outbox, "train")
    disk.write(folder_of(outbox, "train") / "part-0.npz", b"rows")
    damage(outbox, disk, "train")
    reconcile(journal, outbox)
    assert journal.steps_done("lease-1") == set()
    assert [job.state for job in journal.jobs()] == ["open"]
    aside = folder_of(outbox, "train").with_name("lease-1.train.damaged-1")
    assert outbox.folders() == [aside]
    assert disk.read(aside / "part-0.npz") == b"rows"
    [told] = caplog.messages
    assert "lease-1.train/manifest.json: damaged" in told
    assert "lease-1.train.damaged-1" in told
    caplog.clear()
    reconcile(journal, outbox)
    assert caplog.messages == []


def test_what_was_moved_aside_is_never_replaced(
    journal: Journal, outbox: Outbox, disk: MemoryDisk
) -> None:
    for _ in range(2):
        outbox.open_result("lease-1", "train")
        damage(outbox, disk, "train")
        reconcile(journal, outbox)
    assert [folder.name for folder in outbox.folders()] == [
        "lease-1.train.damaged-1",
        "lease-1.train.damaged-2",
    ]


def test_the_manifest_of_another_result_is_not_taken(
    journal: Journal, outbox: Outbox, disk: MemoryDisk
) -> None:
    """Somebody copied a folder over another."""
    text = make_manifest(make_claim(), "train").text.encode()
    outbox.open_result("lease-1", "test")
    disk.write(folder_of(outbox, "test") / "manifest.json", text)
    reconcile(journal, outbox)
    assert journal.unsent().messages == 0
    assert [folder.name for folder in outbox.folders()] == ["lease-1.test.damaged-1"]


def test_a_manifest_of_a_newer_version_refuses_the_start_before_anything_is_changed(
    journal: Journal, outbox: Outbox, disk: MemoryDisk
) -> None:
    """Whatever else it holds by then: it is not damaged, and must not be moved."""
    damage(outbox, disk, "train")
    outbox.open_result("lease-1", "infer")
    newer = b'{"schema_number": 2, "platform": "p", "result": {}}'
    disk.write(folder_of(outbox, "test") / "manifest.json", newer)
    before = outbox.folders()
    with pytest.raises(StoreVersionError):
        reconcile(journal, outbox)
    assert outbox.folders() == before


def test_folders_of_others_are_left_alone_and_named(
    journal: Journal, outbox: Outbox, disk: MemoryDisk, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("backup", "lease-1.train (copy)", ".cache", "lease-9.train", "a.b.train"):
        disk.make_folder(Path("/outbox") / name)
    reconcile(journal, outbox)
    assert len(outbox.folders()) == 5
    [told] = caplog.messages
    assert all(name in told for name in ("backup", "(copy)", ".cache", "a.b.train"))


def test_what_a_lost_step_of_a_hub_has_left_is_removed(journal: Journal, outbox: Outbox) -> None:
    """Its lease has the form of a hub's, so that it is nobody else's."""
    outbox.open_result("0123456789abcdef" * 2, "train")
    reconcile(journal, outbox)
    assert outbox.folders() == []


def test_what_a_failed_step_has_left_is_removed(journal: Journal, outbox: Outbox) -> None:
    outbox.open_result("lease-1", "train")
    journal.supersede("lease-1", "lost")
    reconcile(journal, outbox)
    assert outbox.folders() == []


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
