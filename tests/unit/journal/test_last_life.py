"""How the last life ended is told by the agent's own traces, not by those of commands."""

import os
from pathlib import Path

import pytest

from alectio_agent.agent.journal.disk import FolderLock, SystemDisk
from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.last_life import last_life
from alectio_agent.agent.journal.lock_holder import lock_holder
from alectio_agent.cli.paused import resting
from alectio_agent.cli.resting_journal import resting_journal
from alectio_agent.core.errors import StoreBusyError
from tests.support.clocks import FakeClock

LONG_AGO = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An agent was killed here, long ago."""
    lock = FolderLock(tmp_path)
    next_boot(SystemDisk(), tmp_path)
    Journal(tmp_path / "agent.db", FakeClock()).close()
    lock.release()
    (tmp_path / "agent.db-wal").touch()
    for path in (*tmp_path.rglob("*"), tmp_path):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return tmp_path


def test_what_commands_do_without_an_agent_is_no_sign_of_life(folder: Path) -> None:
    """The second finds the traces of the first, and the journal was closed in order."""
    before = last_life(folder)
    assert (before.end, before.last_sign and before.last_sign.timestamp()) == ("killed", LONG_AGO)
    with resting(folder) as pauses:
        pauses.begin(None, "lunch")
    with resting_journal(folder) as journal:
        journal.by_hand.retry(None)
    assert not (folder / "agent.db-wal").exists()
    assert last_life(folder) == before


def test_what_was_noted_ends_with_the_next_life(folder: Path) -> None:
    with resting(folder):
        pass
    FolderLock(folder).release()
    next_boot(SystemDisk(), folder)
    found = last_life(folder)
    assert found.last_sign is not None
    assert found.last_sign.timestamp() > LONG_AGO


def test_the_holder_is_known_beside_the_note(folder: Path) -> None:
    with resting(folder):
        assert lock_holder(folder) == os.getpid()
        with pytest.raises(StoreBusyError, match=rf"\(process {os.getpid()}\)"):
            FolderLock(folder)


@pytest.mark.parametrize("note", ["", "torn", "killed yesterday", "stopped 20\xff"])
def test_a_note_that_cannot_be_read_leaves_it_to_the_traces(folder: Path, note: str) -> None:
    (folder / "lock").write_text(f"4711\n{note}\n", "latin-1")
    assert last_life(folder).end == "killed"
