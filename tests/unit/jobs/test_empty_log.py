"""Logs of jobs whose hooks printed nothing."""

from pathlib import Path

from alectio_agent.agent.jobs.empty_log import EmptyLogs


def test_an_empty_log_goes_once_the_slot_prints_elsewhere(tmp_path: Path) -> None:
    """A warm process may still print into it, until its next job names another."""
    first, second = tmp_path / "toy-0-a1.log", tmp_path / "toy-1-a1.log"
    first.touch()
    second.touch()
    logs = EmptyLogs()
    logs.ended(first)
    assert first.exists()
    logs.ended(second)
    assert not first.exists()
    assert second.exists()


def test_what_was_printed_late_is_kept(tmp_path: Path) -> None:
    first = tmp_path / "toy-0-a1.log"
    first.touch()
    logs = EmptyLogs()
    logs.ended(first)
    first.write_text("a thread of the hook woke up\n")
    logs.ended(tmp_path / "toy-1-a1.log")
    assert first.read_text() == "a thread of the hook woke up\n"


def test_a_log_that_nobody_made_is_no_trouble(tmp_path: Path) -> None:
    logs = EmptyLogs()
    for number in range(3):
        logs.ended(tmp_path / f"toy-{number}-a1.log")
    assert list(tmp_path.iterdir()) == []
