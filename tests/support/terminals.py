"""Commands on a terminal of 80 columns, and everything that stands on it afterwards."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS, ROWS = 80, 24


@dataclass(frozen=True)
class Shown:
    """What a command left.

    Attributes:
        code: Its exit code.
        text: All that it wrote on the terminal, stdout and stderr.
    """

    code: int
    text: str

    @property
    def wide(self) -> list[str]:
        """Lines that do not fit, but for those that are one word, such as a path."""
        lines = [line.rstrip() for line in self.text.splitlines()]
        return [line for line in lines if len(line) > COLUMNS and " " in line.strip()]


def on_terminal(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Shown:
    """Run a command to its end on a terminal without colours and without cursor movements."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    variables = {**os.environ, "TERM": "dumb", "NO_COLOR": "1", **environment}
    variables.pop("COLUMNS", None)
    with subprocess.Popen(
        words, cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        text = _read(ours)
        code = process.wait(60)
    os.close(ours)
    return Shown(code, text.replace("\r\n", "\n"))


def _read(terminal: int) -> str:
    """Until nobody holds the other end."""
    received = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # EIO: the last one has closed it
            return received.decode()
        if not piece:
            return received.decode()
        received += piece
