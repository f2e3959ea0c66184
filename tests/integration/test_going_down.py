"""Whether the machine goes down, asked of a command that stands in for systemd's."""

from pathlib import Path

import pytest

from alectio_agent.agent.service.going_down import is_going_down


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command of that name, first on the path and not written yet."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    file = tmp_path / "systemctl"
    file.touch(0o755)
    return file


@pytest.mark.parametrize(
    ("script", "is_down"),
    [
        ('[ "$*" = is-system-running ] && echo stopping; exit 1', True),
        ("echo running", False),
        ("echo degraded; exit 1", False),
        ("echo offline; exit 1", False),
        ("echo stopping >&2; exit 1", False),
        ("exit 127", False),
    ],
)
def test_only_a_system_that_says_so_goes_down(systemctl: Path, script: str, is_down: bool) -> None:
    systemctl.write_text(f"#!/bin/sh\n{script}\n")
    assert is_going_down() is is_down


def test_a_system_that_does_not_answer_is_not_waited_for(systemctl: Path) -> None:
    systemctl.write_text("#!/bin/sh\nexec sleep 600\n")
    assert not is_going_down(within_s=0.2)


def test_without_systemd_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_going_down()


def test_a_command_that_cannot_be_run_tells_nothing(systemctl: Path) -> None:
    systemctl.write_text("#!/no/such/shell\n")
    assert not is_going_down()
