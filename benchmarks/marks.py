"""When a function of a job began, told by the function itself over a pipe.

The clocks are CLOCK_MONOTONIC and CLOCK_REALTIME, the same in all processes: the times are taken
before anything is written.
"""

import contextlib
import os
import select
from dataclasses import dataclass
from pathlib import Path

# Standard library only, and quick to import: RQ's work horse imports it anew for each job.
JOB = """
import os
import time

def mark(word):
    began_s, began_at = time.monotonic(), time.time()
    pipe = os.open({pipe!r}, os.O_WRONLY)
    os.write(pipe, ("%s %.9f %.9f\\n" % (word, began_s, began_at)).encode())
    os.close(pipe)

def run(number):
    mark("run")
    return number
"""


@dataclass(frozen=True)
class Mark:
    """One call.

    Attributes:
        word: Which function, such as `train`.
        began_s: Monotonic time of its first line.
        began_at: The same on the clock of timestamps, seconds since 1970.
    """

    word: str
    began_s: float
    began_at: float


class Marks:
    """The reading end of the pipe."""

    def __init__(self, folder: Path) -> None:
        """Make the pipe.

        Args:
            folder: Exists; gets the pipe.
        """
        self._path = folder / "marks"
        os.mkfifo(self._path)
        # Writing as well: without a writer the end of the file would be read again and again.
        self._pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""
        self._seen: list[Mark] = []

    @property
    def job(self) -> str:
        """Source of a module with `run(number)`, and `mark(word)` for other functions."""
        return JOB.format(pipe=str(self._path))

    def next(self, timeout_s: float = 60.0) -> Mark:
        """Wait for the next call; the benchmark ends when none comes."""
        while not self._seen:
            if not select.select([self._pipe], [], [], timeout_s)[0]:
                raise SystemExit(f"no job began within {timeout_s:g} s")
            lines = (self._rest + os.read(self._pipe, 65536)).split(b"\n")
            self._rest = lines.pop()
            told = (line.decode().rsplit(" ", 2) for line in lines)
            self._seen += [Mark(word, *map(float, times)) for word, *times in told]
        return self._seen.pop(0)

    def wait_for(self, word: str) -> Mark:
        """The next call of this function; others before it are skipped."""
        while (mark := self.next()).word != word:
            pass
        return mark

    def forget(self) -> None:
        """Skip the calls that were told so far."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._pipe, 65536):
                pass
        self._rest, self._seen = b"", []

    def close(self) -> None:
        """Let the pipe go."""
        os.close(self._pipe)
