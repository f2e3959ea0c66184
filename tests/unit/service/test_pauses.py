"""A pause: its file, its end, and clocks that jump."""

from datetime import timedelta
from pathlib import Path

import pytest

from alectio_agent.agent.service.control.pauses import Pauses
from alectio_agent.core.errors import StoreError
from tests.support.clocks import FakeClock
from tests.support.disks import MemoryDisk

FOLDER = Path("/state")
HOUR = 3600.0


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


def test_without_a_file_there_is_no_pause(disk: MemoryDisk) -> None:
    pauses = Pauses(disk, FOLDER, FakeClock())
    assert not pauses.is_paused()
    assert pauses.reason() == ""


def test_a_pause_outlasts_a_power_cut(disk: MemoryDisk) -> None:
    clock = FakeClock()
    Pauses(disk, FOLDER, clock).begin(None, "GPU needed")
    disk.cut_power()
    again = Pauses(disk, FOLDER, clock)
    assert again.is_paused()
    assert "(GPU needed). Go on: alectio-agent resume" in again.reason()


def test_the_reason_stays_the_same_while_time_passes(disk: MemoryDisk) -> None:
    """It is logged when it changes."""
    clock = FakeClock()
    pauses = Pauses(disk, FOLDER, clock)
    pauses.begin(2 * HOUR, "")
    before = pauses.reason()
    clock.advance(HOUR)
    assert pauses.reason() == before
    assert " until " in before


def test_a_pause_with_an_end_ends_by_itself_and_leaves_no_file(disk: MemoryDisk) -> None:
    clock = FakeClock()
    pauses = Pauses(disk, FOLDER, clock)
    pauses.begin(2 * HOUR, "")
    clock.advance(2 * HOUR - 1)
    assert pauses.is_paused()
    clock.advance(1)
    assert not pauses.is_paused()
    assert disk.read(FOLDER / "paused.json") is None


def test_a_restart_does_not_make_a_pause_longer(disk: MemoryDisk) -> None:
    clock = FakeClock()
    Pauses(disk, FOLDER, clock).begin(2 * HOUR, "")
    clock.advance(HOUR)
    again = Pauses(disk, FOLDER, clock)
    clock.advance(HOUR - 1)
    assert again.is_paused()
    clock.advance(1)
    assert not again.is_paused()


def test_what_ended_while_no_agent_ran_is_over_at_its_start(disk: MemoryDisk) -> None:
    clock = FakeClock()
    Pauses(disk, FOLDER, clock).begin(HOUR, "")
    clock.advance(2 * HOUR)
    assert not Pauses(disk, FOLDER, clock).is_paused()


def test_a_clock_that_is_put_changes_nothing_while_the_agent_runs(disk: MemoryDisk) -> None:
    clock = FakeClock()
    pauses = Pauses(disk, FOLDER, clock)
    pauses.begin(2 * HOUR, "")
    clock._start += timedelta(days=30)
    clock.advance(HOUR)
    assert pauses.is_paused()
    clock._start -= timedelta(days=60)
    clock.advance(HOUR)
    assert not pauses.is_paused()


def test_a_clock_that_went_back_over_a_restart_pauses_no_longer_than_was_asked(
    disk: MemoryDisk,
) -> None:
    clock = FakeClock()
    Pauses(disk, FOLDER, clock).begin(2 * HOUR, "")
    clock._start -= timedelta(days=365)
    again = Pauses(disk, FOLDER, clock)
    clock.advance(2 * HOUR - 1)
    assert again.is_paused()
    clock.advance(1)
    assert not again.is_paused()


def test_another_pause_takes_the_place_of_the_first(disk: MemoryDisk) -> None:
    clock = FakeClock()
    pauses = Pauses(disk, FOLDER, clock)
    pauses.begin(HOUR, "lunch")
    pauses.begin(None, "dinner")
    clock.advance(2 * HOUR)
    assert "(dinner)" in pauses.reason()
    assert "lunch" not in pauses.reason()


def test_the_end_is_durable_and_tells_what_was(disk: MemoryDisk) -> None:
    clock = FakeClock()
    pauses = Pauses(disk, FOLDER, clock)
    pauses.begin(None, "lunch")
    ended = pauses.end()
    assert ended is not None
    assert ended.note == "lunch"
    assert not pauses.is_paused()
    assert pauses.end() is None
    assert not Pauses(disk, FOLDER, clock).is_paused()


def test_whoever_waits_is_told_of_both(disk: MemoryDisk) -> None:
    pauses = Pauses(disk, FOLDER, FakeClock())
    seen: list[bool] = []
    pauses.on_change = lambda: seen.append(pauses.is_paused())
    pauses.begin(None, "")
    pauses.end()
    assert seen == [True, False]


def test_a_pause_that_cannot_be_written_is_none(disk: MemoryDisk) -> None:
    """Nobody may rely on what the next start would not know."""
    pauses = Pauses(disk, FOLDER, FakeClock())
    disk.is_full = True
    with pytest.raises(StoreError, match="No space left"):
        pauses.begin(None, "")
    assert not pauses.is_paused()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"note": 1}',
        b'{"since": "2026-01-01T00:00:00"}',
        b'{"since": "2026-01-01T00:00:00Z", "schema_number": 2}',
    ],
)
def test_a_file_that_cannot_be_read_is_a_pause_that_somebody_can_end(
    disk: MemoryDisk, content: bytes
) -> None:
    """Somebody wanted one: starting a job would be the worse mistake."""
    disk.write(FOLDER / "paused.json", content)
    pauses = Pauses(disk, FOLDER, FakeClock())
    assert "paused.json cannot be read" in pauses.reason()
    pauses.end()
    assert not Pauses(disk, FOLDER, FakeClock()).is_paused()


def test_the_end_of_a_short_pause_is_told_to_the_second(disk: MemoryDisk) -> None:
    """In minutes it would end when it begins."""
    pauses = Pauses(disk, FOLDER, FakeClock())
    short = pauses.begin(5, "")
    assert short.until is not None
    assert short.words.endswith(f" until {short.until.astimezone():%Y-%m-%d %H:%M:%S}")
    long = pauses.begin(2 * HOUR, "")
    assert long.until is not None
    assert long.words.endswith(f" until {long.until.astimezone():%Y-%m-%d %H:%M}")


def test_a_note_cannot_forge_lines(disk: MemoryDisk) -> None:
    pauses = Pauses(disk, FOLDER, FakeClock())
    pauses.begin(None, "a\nb\x1b[2J")
    assert "a\\x0ab\\x1b[2J" in pauses.reason()
