"""What commands print fits a terminal of 80 columns, and is whole in a pipe."""

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import pytest

from alectio_agent.cli.hub_token_list import print_tokens
from alectio_agent.cli.screen import say, tell
from alectio_agent.wire.operation import TokenView

LONG = "a-machine-in-the-cellar-of-the-second-clinic-on-the-left-side-12"


class Terminal(StringIO):
    """Of 80 columns, and no colours."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What a function prints there."""
    for name, value in {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)

    def lines(prints: Callable[..., None], *words: Any) -> list[str]:
        with redirect_stdout(Terminal()) as found, redirect_stderr(found):
            prints(*words)
        return found.getvalue().splitlines()

    return lines


def token(name: str) -> TokenView:
    moment = "2026-11-26T10:59:45.230Z"
    return TokenView(
        token_id="t1", name=name, scope="operator", created_at=moment, expires_at=moment,
        revoked_at=moment, last_used_at=moment,
    )  # fmt: skip


def test_every_token_is_told_whole_in_80_columns(
    shown: Callable[..., list[str]],
) -> None:
    """A name goes on below; moments that were cut would say nothing."""
    lines = shown(print_tokens, [token("gpu01"), token(LONG)])
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == [
        "gpu01", "operator", "2026-11-26", "2026-11-26", "2026-11-26", "10:59Z", "2026-11-26",
    ]  # fmt: skip
    assert "".join(line.split(" ")[0] for line in lines[2:]) == LONG


def test_results_and_what_stands_beside_them_are_folded_on_a_terminal(
    shown: Callable[..., list[str]],
) -> None:
    """A command stays in one piece: people copy it."""
    text = "An agent with it stops its hook, keeps its results. A new one: alectio-agent hub serve"
    lines = shown(tell, text) + shown(say, text)
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines[1::2]] == ["alectio-agent hub serve"] * 2


def test_in_a_pipe_nothing_is_folded_and_nothing_cut(capsys: pytest.CaptureFixture[str]) -> None:
    print_tokens([token(LONG)])
    tell("x " * 100)
    shown = capsys.readouterr().out
    assert LONG in shown
    assert "x " * 100 in shown
