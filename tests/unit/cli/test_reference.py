"""Every command and option is described, in `--help` and in the documentation."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from alectio_agent.cli.main import main
from alectio_agent.cli.reference import (
    EXIT_CODES,
    all_commands,
    cli_document,
    errors_document,
    own_options,
    takes,
)
from alectio_agent.core.errors import ExitCode

DOCS = Path(__file__).parents[3] / "docs"
COMMANDS = dict(all_commands())
LEAVES = {path: found for path, found in COMMANDS.items() if not isinstance(found, click.Group)}
COMMON = ("--config", "--json", "--quiet", "--debug")


def test_the_page_of_messages_is_current() -> None:
    """Mend with `make docs`."""
    assert (DOCS / "errors.md").read_text("utf-8") == errors_document()


def test_the_page_of_commands_is_current() -> None:
    """Mend with `make docs`."""
    assert (DOCS / "cli.md").read_text("utf-8") == cli_document()


def test_the_page_is_the_same_on_every_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "37")
    monkeypatch.setenv("ALECTIO_HUB", "http://127.0.0.1:1")
    assert cli_document() == (DOCS / "cli.md").read_text("utf-8")


def test_every_exit_code_has_its_meaning() -> None:
    assert set(EXIT_CODES) == set(ExitCode)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_described(path: str) -> None:
    assert (COMMANDS[path].help or "").strip().endswith((".", "fish", "json")), path
    assert f"`{path}" in (DOCS / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_says_what_it_does(path: str) -> None:
    for option in own_options(LEAVES[path]):
        assert (option.help or "").strip().endswith("."), f"{path} {option.opts}"


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_takes_the_common_options_and_lists_them(path: str) -> None:
    assert takes(LEAVES[path], COMMON), path
    shown = CliRunner().invoke(main, [*path.split()[1:], "--help"])
    assert shown.exit_code == 0
    for option in COMMON:
        assert option in shown.output


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_its_line_in_the_help_of_its_group(path: str) -> None:
    words = path.split()[1:]
    if words:
        shown = CliRunner().invoke(main, [*words[:-1], "--help"], terminal_width=200)
        assert any(line.split()[:1] == [words[-1]] for line in shown.output.splitlines()), path
