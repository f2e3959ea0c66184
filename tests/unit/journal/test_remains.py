"""What is told of an agent that does not run, from its folder alone."""

import os
from pathlib import Path

import pytest

from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.journal.remains import has_agent, read_remains
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock

EARLY, LATE = 1_000_000_000, 1_000_001_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One result waits; the agent was stopped in order."""
    next_boot(SystemDisk(), tmp_path)
    journal = Journal(tmp_path / "agent.db", FakeClock())
    claim = make_claim()
    journal.put_claim("boot-1", 1, claim, PLATFORM)
    manifest = make_manifest(claim, "train")
    outbox = Outbox(SystemDisk(), tmp_path / "outbox")
    outbox.open_result(claim.lease, "train")
    outbox.complete(manifest)
    journal.put_commit(manifest, is_last=False)
    journal.close()
    (tmp_path / "lock").write_text("1\n")
    age(tmp_path, EARLY)
    return tmp_path


def age(folder: Path, moment: int) -> None:
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (moment, moment))


def test_a_folder_without_traces_has_no_agent(tmp_path: Path) -> None:
    assert not has_agent(tmp_path / "missing")
    assert not has_agent(tmp_path)


def test_an_end_in_order_is_known_by_what_it_removed(folder: Path) -> None:
    assert has_agent(folder)
    os.utime(folder, (LATE, LATE))
    found = read_remains(folder)
    assert (found.end, found.boot, found.problems) == ("stopped", 1, [])
    assert found.last_sign is not None
    assert found.last_sign.timestamp() == LATE, "the last thing that it changed is the folder"
    assert [job.job for job in found.open_jobs] == ["digits/1"]
    assert [(each.step, each.state) for each in found.waiting] == [("train", "pending")]


@pytest.mark.parametrize("left", ["control.sock", "agent.db-wal"])
def test_an_agent_that_was_killed_leaves_something(folder: Path, left: str) -> None:
    (folder / left).touch()
    assert read_remains(folder).end == "killed"


def test_without_its_journal_results_are_counted_as_the_next_start_finds_them(folder: Path) -> None:
    (folder / "agent.db").unlink()
    (folder / "identity.json").unlink()
    found = read_remains(folder)
    assert (found.end, found.boot) == ("unknown", None)
    assert [(each.key, each.platform_id) for each in found.waiting] == [("key-train", PLATFORM)]
    assert len(found.problems) == 2
    assert "identity.json: gone" in found.problems[0]
    assert "agent.db: gone" in found.problems[1]


def test_results_that_cannot_be_sent_are_named(folder: Path) -> None:
    manifest = folder / "outbox" / "lease-1.train" / "manifest.json"
    manifest.write_text("{")
    assert "damaged" in read_remains(folder).problems[0]
    manifest.unlink()
    assert "gone, while the result of digits/1 waits" in read_remains(folder).problems[0]
