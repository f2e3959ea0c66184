"""The command line before any command runs."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import COMMANDS, main
from alectio_agent.core.errors import ConfigError


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert name in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_a_misspelt_command_names_the_nearest() -> None:
    result = CliRunner().invoke(main, ["experimnt"])
    assert result.exit_code == 2
    assert "Did you mean 'experiment'?" in result.output


def test_an_error_of_ours_is_a_message_and_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ConfigError("agent.yaml:3 agent.nmae: unknown key", hint="Did you mean `name`?")

    monkeypatch.setattr("alectio_agent.cli.run_agent.run_agent", broken)
    result = CliRunner().invoke(main, ["run"])
    assert result.exit_code == 78
    assert result.stderr == (
        "E-CONF-07  agent.yaml:3 agent.nmae: unknown key\nDid you mean `name`?\n"
        "More: alectio-agent explain E-CONF-07\n"
    )


def test_debug_lets_the_traceback_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ConfigError("no")

    monkeypatch.setattr("alectio_agent.cli.run_agent.run_agent", broken)
    result = CliRunner().invoke(main, ["run", "--debug"])
    assert "Traceback (most recent call last)" in result.stderr
    assert result.exit_code == 78


def test_a_defect_of_ours_is_a_message_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("None has no name")

    monkeypatch.setattr("alectio_agent.cli.run_agent.run_agent", broken)
    result = CliRunner().invoke(main, ["run"])
    assert result.exit_code == 1
    assert result.stderr.startswith("E-INT-01  unexpected: TypeError: None has no name")
    assert "Traceback" not in result.stderr


def test_a_wrong_command_line_has_a_code() -> None:
    result = CliRunner().invoke(main, ["run", "--untill-done"])
    assert result.exit_code == 2
    assert "E-USE-01  No such option" in result.stderr


@pytest.mark.parametrize("words", [["--json", "version"], ["version", "--json"]])
def test_common_options_stand_before_or_after_the_command(words: list[str]) -> None:
    assert json.loads(CliRunner().invoke(main, words).stdout)["protocol"] == 1


def test_help_imports_neither_pydantic_nor_requests() -> None:
    """`--help` must answer at once."""
    script = (
        "import sys; from alectio_agent.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'requests', 'rich', 'yaml', 'numpy', 'fastapi'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "heavy: []"
