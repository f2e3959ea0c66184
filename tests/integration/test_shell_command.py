"""A real command line: what it gets, how it ends, and that nothing of it stays."""

import os
import threading
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.shell_command import CommandEnd, ShellCommand
from alectio_agent.core.clock import SystemClock
from tests.support.living import await_end, is_running


def command(line: str, **variables: str) -> ShellCommand:
    return ShellCommand(line, {"PATH": os.environ["PATH"], **variables}, SystemClock())


def test_it_gets_the_text_and_its_own_variables_only(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    line = f'cat > {seen}; echo "$COLOUR $HOME" >> {seen}'
    assert command(line, COLOUR="red").run(30, b'{"event": "failed"}\n') == CommandEnd(0, "")
    assert seen.read_text() == '{"event": "failed"}\nred \n'


def test_a_command_that_does_not_read_is_none_that_fails() -> None:
    assert command("exit 0").run(30, b"x" * 2**20).code == 0


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("echo one; echo 'two ' >&2; exit 7", CommandEnd(7, "two")),
        ("kill -9 $$", CommandEnd(-9, "")),
        ("seq 1 200000; exit 1", CommandEnd(1, "200000")),
        ("exec >&- 2>&-; exit 3", CommandEnd(3, "")),
        ("no-such-command-anywhere 2>/dev/null", CommandEnd(127, "")),
        (r"printf 'red\033[31m\n\n'; exit 1", CommandEnd(1, r"red\x1b[31m")),
    ],
)
def test_how_it_ended_is_told_with_its_last_line(line: str, end: CommandEnd) -> None:
    assert command(line).run(30) == end


def test_a_command_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    end = command(f"sleep 1000 & echo $! > {told}; echo waits; wait").run(1)
    assert end == CommandEnd(None, "waits")
    await_end(int(told.read_text()))


def test_what_it_leaves_behind_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    assert command(f"sleep 1000 & echo $! > {told}").run(1000).code == 0
    pid = int(told.read_text())
    await_end(pid)
    assert not is_running(pid)


def test_an_agent_that_stops_ends_it_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    running = command(f"sleep 1000 & echo $! > {pipe}; wait")
    ends: list[CommandEnd] = []
    thread = threading.Thread(target=lambda: ends.append(running.run(1000)))
    thread.start()
    pid = int(pipe.read_text())
    running.stop()
    thread.join()
    assert ends == [CommandEnd(None, "", is_stopped=True)]
    await_end(pid)
    assert running.run(1000) == CommandEnd(None, "", is_stopped=True), "nothing more is run"
