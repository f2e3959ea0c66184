"""An agent that runs beside the test, and what it says."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Self


class Running:
    """`python -m alectio_agent run WORDS`; killed at the end of the test if it has not ended."""

    def __init__(
        self, folder: Path, *words: str, environment: dict[str, str] | None = None
    ) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alectio_agent", "run", *words],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()

    def until(self, text: str) -> str:
        """The first new line of stderr with a text."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"{text!r} was not said: {''.join(self.lines)}")

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Wait for its end; gives the exit code."""
        assert self.process.stderr is not None
        if not self.process.stderr.closed:
            self.lines += self.process.stderr.readlines()
            self.process.stderr.close()
        code = self.process.wait(60)
        assert "Traceback" not in self.text
        return code

    @property
    def text(self) -> str:
        """All that it said so far, as far as it was read."""
        return "".join(self.lines)
