"""One hub per folder, and no folder that is not a hub's."""

import os
from pathlib import Path
from threading import Event

import pytest

from alectio_agent.core.errors import ExitCode, StoreBusyError, StoreError, UsageError
from alectio_agent.hub.server.lock import HubLock
from tests.support.clocks import FakeClock


def test_a_new_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    lock = HubLock(tmp_path / "site" / "hub", FakeClock(), 0)
    assert (tmp_path / "site" / "hub").stat().st_mode & 0o777 == 0o700
    lock.release()


def test_a_second_hub_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    lock = HubLock(tmp_path / "hub", FakeClock(), 0)
    with pytest.raises(StoreBusyError, match=f"pid {os.getpid()}") as caught:
        HubLock(tmp_path / "hub", FakeClock(), 0)
    assert caught.value.exit_code is ExitCode.TRY_AGAIN
    lock.release()


def test_a_second_hub_waits_as_long_as_it_was_told(tmp_path: Path) -> None:
    lock, clock = HubLock(tmp_path / "hub", FakeClock(), 0), FakeClock()
    with pytest.raises(StoreBusyError):
        HubLock(tmp_path / "hub", clock, 10)
    assert sum(clock.waits) == pytest.approx(10, abs=0.2)
    lock.release()


def test_a_hub_that_waits_gets_the_folder_when_the_other_leaves(tmp_path: Path) -> None:
    first = HubLock(tmp_path / "hub", FakeClock(), 0)

    class LeavingClock(FakeClock):
        def wait(self, event: Event, seconds: float) -> bool:
            if len(self.waits) == 3:
                first.release()
            return super().wait(event, seconds)

    clock = LeavingClock()
    HubLock(tmp_path / "hub", clock, 10).release()
    assert len(clock.waits) == 4


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """A mistyped `--data ~` must not close somebody's home to the web server that reads it."""
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="no hub's folder"):
        HubLock(tmp_path, FakeClock(), 0)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/hub: Not a directory"):
        HubLock(tmp_path / "file" / "hub", FakeClock(), 0)


def test_a_folder_with_nothing_but_a_restored_database_is_a_hubs(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "hub.db").write_bytes(b"")
    HubLock(tmp_path / "hub", FakeClock(), 0).release()
