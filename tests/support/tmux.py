"""A terminal that shows what a person would see: tmux on a server of its own."""

import os
import shlex
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Self

import pytest

WAIT_S = 50.0
LOOK_S = 0.1
SHELL_ENDED = "ended with"


def need_tmux() -> None:
    """Skip the test on a laptop without tmux; fail where it must be there."""
    if shutil.which("tmux"):
        return
    if os.environ.get("CI"):
        pytest.fail("tmux is not installed")
    pytest.skip("tmux is not installed")


class Tmux:
    """One window with a shell in it, which says how a command ended."""

    def __init__(self, folder: Path, columns: int = 80, rows: int = 24) -> None:
        need_tmux()
        self._socket = folder / "tmux.socket"
        shell = "env -u TMUX -u NO_COLOR -u CI LC_ALL=C.UTF-8 PS1='$ ' sh"
        self._call(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
            "-c", str(folder), shell, ";", "set-option", "-g", "history-limit", "5000",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._call("kill-server")

    def type(self, command: str) -> None:
        """A command and Enter; the shell says its exit code."""
        line = f"{command}; echo 'ended'' with' $?"  # typed otherwise than it comes out
        self._call("send-keys", "-l", line)
        self.press("Enter")

    def press(self, key: str) -> None:
        """Such as `C-c`."""
        self._call("send-keys", key)

    def resize(self, columns: int, rows: int) -> None:
        self._call("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self, *, with_history: bool = False) -> str:
        """What stands on it, without spaces at the ends of rows."""
        options = ["-S", "-"] if with_history else []
        return self._call("capture-pane", "-p", *options).rstrip("\n")

    def shows(self, text: str) -> str:
        """The screen, once a text stands on it."""
        pause, looks = threading.Event(), int(WAIT_S / LOOK_S)
        for _ in range(looks):
            screen = self.screen()
            if text in screen:
                return screen
            pause.wait(LOOK_S)
        raise AssertionError(f"{text!r} did not come up:\n{self.screen(with_history=True)}")

    def ends(self) -> str:
        """All that was written, once the command has ended."""
        self.shows(f"{SHELL_ENDED} ")
        return self.screen(with_history=True)

    def cursor_is_visible(self) -> bool:
        return self._call("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *words], capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
        return done.stdout
