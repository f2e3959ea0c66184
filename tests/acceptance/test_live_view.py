"""`run` on a real terminal, looked at as a person would; and in a pipe."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, read_experiment, run_command, write_project
from tests.support.tmux import SHELL_ENDED, Tmux

RUN = f"{sys.executable} -m alectio_agent run"
HOLD = """
    from alectio_agent import progress
    import threading
    progress(1, 4)
    threading.Event().wait(0.3)
    progress(2, 4, loss=0.25)
    print("[bold]half[/bold] \\x1b[2J way")
    while payload["loop"] == 1 and not Path("go").exists():
        threading.Event().wait(0.05)
"""
"""Loop 1 trains until there is a file `go`."""
HELD = HOOKS.replace('    begun(payload, "train")\n', f'    begun(payload, "train")\n{HOLD}')
HEAD = "alectio-agent "


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Tmux]:
    write_project(tmp_path, loops=2, hooks=HELD)
    with Tmux(tmp_path) as made:
        yield made
        (tmp_path / "go").write_text("")  # nothing is left running


def heads(screen: str) -> int:
    return sum(row.startswith(HEAD) for row in screen.splitlines())


def held(terminal: Tmux) -> str:
    """The screen while loop 1 trains, half done."""
    terminal.type(RUN)
    terminal.shows("toy/1 train started")
    return terminal.shows("2/4  loss 0.25")


def test_a_run_is_shown_and_leaves_its_log_and_its_table(terminal: Tmux, tmp_path: Path) -> None:
    screen = held(terminal)
    assert "toy   loop 1 of 2   10 of 60 labelled" in screen
    assert " train [████████████░░░░░░░░░░░░]" in screen
    assert "   [bold]half[/bold] \\x1b[2J way" in screen
    assert "    0       5" in screen
    assert "Ctrl-C: finish this step, then stop." in screen
    assert len(screen.splitlines()) <= 24
    (tmp_path / "go").write_text("")
    told = terminal.ends()
    assert f"{SHELL_ENDED} 0" in told
    assert heads(told) == 0, "the view vanishes"
    assert "toy/0 train started" in told, "the log stays"
    assert "toy: finished" in told
    assert told.count("chosen by") == 1
    assert terminal.cursor_is_visible()


def test_other_sizes_are_drawn_anew_without_rests(terminal: Tmux) -> None:
    held(terminal)
    terminal.resize(60, 14)
    small = terminal.shows("Ctrl-C: stop after this step. Twice: now")
    assert heads(small) == 1
    terminal.resize(120, 40)
    large = terminal.shows("Ctrl-C: finish this step, then stop.")
    assert heads(large) == 1
    assert large.count("from the hook") == 1
    assert large.count("Ctrl-C") == 1
    terminal.resize(100, 20)
    terminal.shows("Ctrl-C: finish this step")
    terminal.resize(80, 18)
    terminal.shows("Ctrl-C: finish this step")
    assert terminal.screen(with_history=True).count("Ctrl-C:") == 1, "the history has no copies"


def test_ctrl_c_says_what_it_does_and_what_comes_next(terminal: Tmux, tmp_path: Path) -> None:
    held(terminal)
    terminal.press("C-c")
    screen = terminal.shows("finishing this step (")
    assert "Ctrl-C again: stop now, continue next time" in screen
    assert "^C" not in screen
    (tmp_path / "go").write_text("")
    told = terminal.ends()
    assert f"{SHELL_ENDED} 75" in told
    assert "It goes on where it was with: alectio-agent run" in told
    assert heads(told) == 0


def test_keys_are_not_shown_and_the_shell_has_its_echo_back(terminal: Tmux, tmp_path: Path) -> None:
    """An Enter would push the view out of place."""
    screen = held(terminal)
    terminal.press("Enter")
    terminal.press("x")
    terminal.press("Enter")
    terminal.press("C-c")
    after = terminal.shows("finishing this step (")
    assert heads(after) == heads(screen) == 1
    assert after.splitlines()[-2].startswith("contact ")
    terminal.press("C-c")
    terminal.ends()
    terminal.type("stty -a | grep -o '[-]*echo ' | tr e E")
    terminal.shows("\nEcho")


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(terminal: Tmux) -> None:
    """In a shell with job control; the view must not be drawn over its prompt."""
    terminal.type("bash --norc -i")
    held(terminal)
    terminal.press("C-z")
    screen = terminal.shows("Stopped")
    assert heads(screen) == 0
    terminal.type("fg")
    assert heads(terminal.shows("2/4  loss 0.25")) == 1


def test_a_kill_ends_the_view_too(terminal: Tmux, tmp_path: Path) -> None:
    held(terminal)
    [pid] = pids_of(tmp_path)
    os.kill(pid, signal.SIGTERM)
    terminal.shows("finishing this step (")
    os.kill(pid, signal.SIGTERM)
    told = terminal.ends()
    assert heads(told) == 0
    assert f"{SHELL_ENDED} 75" in told
    assert terminal.cursor_is_visible()


def pids_of(folder: Path) -> list[int]:
    """The process of `run` that works in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            cwd = (process / "cwd").readlink()
        except OSError:
            continue
        if cwd == folder and words[1:4] == [b"-m", b"alectio_agent", b"run"]:
            found.append(int(process.name))
    return found


def test_the_table_may_go_elsewhere_while_the_view_is_shown(terminal: Tmux, tmp_path: Path) -> None:
    terminal.type(f"{RUN} > table.txt")
    terminal.shows("2/4  loss 0.25")
    (tmp_path / "go").write_text("")
    terminal.ends()
    assert "chosen by" in (tmp_path / "table.txt").read_text()


def test_quiet_and_dumb_terminals_have_no_view(terminal: Tmux, tmp_path: Path) -> None:
    (tmp_path / "go").write_text("")
    terminal.type(f"TERM=dumb {RUN}; {RUN} --new --quiet")
    told = terminal.ends()
    assert "Ctrl-C" not in told
    assert told.count("chosen by") == 2


def test_a_terminal_that_vanishes_ends_nothing(tmp_path: Path) -> None:
    """HUP means reload here, and nobody looks any more."""
    write_project(tmp_path, loops=2, hooks=HELD)
    with Tmux(tmp_path) as terminal:
        held(terminal)
        [pid] = pids_of(tmp_path)
    assert pids_of(tmp_path) == [pid]
    (tmp_path / "go").write_text("")
    pause = threading.Event()
    while pids_of(tmp_path):
        pause.wait(0.1)
    assert read_experiment(tmp_path)["state"] == "finished"


def test_a_pipe_gets_a_line_for_each_change_of_state_and_no_escapes(tmp_path: Path) -> None:
    write_project(tmp_path, loops=2)
    done = run_command("run", cwd=tmp_path)
    assert done.returncode == 0
    assert "\x1b" not in done.stderr + done.stdout
    messages = [line.partition("  ")[2] for line in done.stderr.splitlines()]
    steps = [f"toy/{loop} {step} started" for loop in (0, 1) for step in ("train", "test", "infer")]
    told = [line for line in messages if line.endswith(" started")]
    assert told == steps[:5], "the last loop needs no infer"
    assert len(messages) == len(set(messages)), "nothing is told twice"
    about_jobs = [line for line in messages if any(word in line for word in ("train", "accuracy"))]
    assert all(line.startswith("toy/") for line in about_jobs)


def test_a_stderr_that_breaks_does_not_end_the_run(tmp_path: Path) -> None:
    write_project(tmp_path, loops=1)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "alectio_agent", "run"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=write, timeout=50,
    )  # fmt: skip
    os.close(write)
    assert b"chosen by" in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_streams_that_are_closed_do_not_end_the_run(tmp_path: Path, closed: str) -> None:
    """Without stderr nothing was run; without stdout it ended with an error after all loops."""
    write_project(tmp_path, loops=1)
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {RUN} {closed}"], cwd=tmp_path, capture_output=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    assert read_experiment(tmp_path)["state"] == "finished"
    assert (b"chosen by" in done.stdout) is ("1>&-" not in closed)
