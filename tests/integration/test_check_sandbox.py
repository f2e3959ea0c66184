"""`check` inside a sandbox: a `systemd-run` of the tests' own starts what it is told to start."""

import stat
from pathlib import Path

import pytest

from alectio_agent.cli.check_sandbox import look_within
from alectio_agent.cli.service_unit import ServiceUnit
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from tests.support.projects import HOOKS

UNIT = ServiceUnit(Path("/etc/systemd/system/alectio-agent.service"), ("ProtectHome=yes",), ())
ENTERS = '#!/bin/sh\necho "$@" > "$0.asked"\nwhile [ "$1" != "--" ]; do shift; done\nshift\n'


@pytest.fixture
def settings(tmp_path: Path) -> AgentFile:
    (tmp_path / "processes.py").write_text(HOOKS)
    file = tmp_path / "agent.yaml"
    file.write_text(
        "platform: {url: 'https://hub.invalid', token_file: token}\n"
        "pipelines:\n  toy: {hooks: processes.py, python: link/python, pool_size: 60}\n"
    )
    (tmp_path / "link").mkdir()
    (tmp_path / "link/python").symlink_to("/bin/false")
    return load(file, AgentFile)


def put(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = folder / "bin/systemd-run"
    file.parent.mkdir()
    file.write_text(script)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{file.parent}:/usr/bin:/bin")
    return file


def test_the_lines_of_the_pipelines_come_from_inside(
    settings: AgentFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there for this user and not for the service is named, with the drop-in for it."""
    program = put(tmp_path, ENTERS + 'exec "$@"\n', monkeypatch)
    found = {check.name: check for check in look_within(UNIT, tmp_path / "agent.yaml", settings)}
    assert list(found) == [
        "sandbox", "toy: python", "toy: checkpoints", "toy: timeout", "toy: gpu", "toy: hooks",
    ]  # fmt: skip
    assert "--property=ProtectHome=yes" in Path(f"{program}.asked").read_text()
    assert found["sandbox"].state == "ok"
    told = found["toy: python"].problems[0]
    assert told.startswith(f"E-HOOK-02  pipelines.toy.python: {tmp_path}/link/python exists, but")
    assert f"service install --read {tmp_path}" in told


def test_a_sandbox_that_cannot_be_entered_is_a_warning(
    settings: AgentFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "#!/bin/sh\necho 'Failed to start transient unit' >&2\nexit 1\n", monkeypatch)
    [check] = look_within(UNIT, tmp_path / "agent.yaml", settings)
    assert (check.name, check.state) == ("sandbox", "warn")
    assert "Failed to start transient unit" in check.problems[0]
