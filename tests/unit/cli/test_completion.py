"""What a shell completes; the protocol is click's own."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from alectio_agent.cli.completion import VARIABLE, script_for
from alectio_agent.cli.main import COMMANDS, main


def complete(*words: str, incomplete: str = "") -> list[str]:
    shell = ShellComplete(main, {}, "alectio-agent", VARIABLE)
    return [item.value for item in shell.get_completions(list(words), incomplete)]


def test_commands_are_completed() -> None:
    assert complete(incomplete="ex") == ["experiment", "explain"]
    assert complete() == list(COMMANDS)
    assert "embedded" not in complete("hub")


def test_options_are_completed() -> None:
    assert "--until-done" in complete("run", incomplete="--u")
    assert "--json" in complete("--debug", "version", incomplete="--j")


def test_choices_are_completed() -> None:
    assert complete("config", "schema", incomplete="e") == ["experiment"]
    assert complete("hub", "token", "create", "x", "--scope", incomplete="o") == ["operator"]


def test_codes_are_completed_in_small_letters_too() -> None:
    assert complete("explain", incomplete="e-conf-0")[:2] == ["E-CONF-01", "E-CONF-02"]


@pytest.mark.parametrize("words", [("experiment", "show"), ("logs",)])
def test_experiments_beside_the_configuration_are_completed(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALECTIO_AGENT_CONFIG", raising=False)
    for name in ("toy", "toy-control", "digits"):
        (tmp_path / "there" / "results" / name).mkdir(parents=True)
    (tmp_path / "there" / "agent.yaml").touch()
    assert complete(*words, incomplete="t") == []
    found = complete("-c", "there/agent.yaml", *words, incomplete="t")
    assert found == ["toy", "toy-control"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_program_and_its_variable(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert VARIABLE in result.stdout
    assert "alectio-agent" in result.stdout
    assert result.stdout.strip() == script_for(shell).strip()


def test_an_unknown_shell_is_told() -> None:
    result = CliRunner().invoke(main, ["completion", "tcsh"])
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


def test_completing_a_command_imports_none() -> None:
    """The shell waits for it at each press of the key."""
    script = (
        "import sys\n"
        "from click.shell_completion import ShellComplete\n"
        "from alectio_agent.cli.main import main\n"
        "ShellComplete(main, {}, 'alectio-agent', 'X').get_completions([], '')\n"
        "print(sorted(name for name in sys.modules if name.startswith('alectio_agent.cli.')))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "experiment" not in found.stdout
    assert "alectio_agent.cli.main" in found.stdout
