"""Messages on a narrow terminal: broken between words, never inside a path or a command."""

import io

import pytest

from alectio_agent.cli.check_lines import print_checks
from alectio_agent.cli.folding import fold_lines, width_of
from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say_error
from alectio_agent.core.checks import passed
from alectio_agent.core.errors import UsageError

PATH = "/srv/a-rather-long-folder/with/a/folder/in/it/processes.py"


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        return True


def test_words_stay_whole_and_later_lines_are_further_in() -> None:
    folded = fold_lines("  found one thing, expected another thing", 24)
    assert folded.splitlines() == ["  found one thing,", "    expected another", "    thing"]


def test_each_line_is_folded_by_itself() -> None:
    assert fold_lines("one two three\nfour", 9) == "one two\n  three\nfour"


def test_a_path_sticks_out() -> None:
    assert f"{PATH}:" in fold_lines(f"found {PATH}: no such file", 30).split()


@pytest.mark.parametrize(
    "command",
    ["alectio-agent experiment retry toy", "`hub token revoke NAME`", "alectio-agent try --pdb"],
)
@pytest.mark.parametrize("width", [50, 55, 60, 65, 70])
def test_a_command_is_not_broken(command: str, width: int) -> None:
    text = f"Mend the file that is named above, then: {command}. The steps before are kept"
    assert any(command in line for line in fold_lines(text, width).splitlines())


def test_the_words_are_the_same() -> None:
    text = f"E-HOOK-03  {PATH}: no function. Use: alectio-agent try (or `run --once`)"
    assert fold_lines(text, 20).split() == text.split()


def test_a_pipe_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert width_of(io.StringIO()) is None
    assert width_of(Terminal()) == 40


def test_an_error_is_folded_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = {}
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", stream)
        say_error(UsageError("found one thing, " * 8))
        lines[stream.isatty()] = stream.getvalue().splitlines()
    assert len(lines[True]) > 4
    assert len(lines[False]) == 2


def test_checks_keep_to_their_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "64")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    print_checks([passed("timeout", "word " * 12, "warned " * 12)], Common(), next_step=lambda: "")
    first, second, *rest = terminal.getvalue().splitlines()
    assert first.startswith("warn  timeout")
    assert second.startswith(" " * 28 + "word")
    assert rest[0].startswith("      warned")
    assert max(map(len, (first, second, *rest))) <= 64
