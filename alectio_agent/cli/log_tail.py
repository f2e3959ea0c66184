"""Reads a growing file of text line by line, whatever bytes a hook wrote into it."""

import codecs
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from alectio_agent.core.log import printable

CHUNK_BYTES = 2**16
LONGEST_LINE = 2**16
"""A hook that never ends its line must not fill our memory: this much is a line."""


class Lines:
    """Bytes that come in pieces, as lines of text."""

    def __init__(self) -> None:
        """Start at the beginning of a line."""
        # A character of several bytes may be cut by the end of a piece.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""

    @property
    def begun(self) -> str:
        """The beginning of a line that has not ended yet; it is told again when it has."""
        return self._begun

    def feed(self, piece: bytes) -> Iterator[str]:
        """The lines that are complete with this piece."""
        *whole, self._begun = (self._begun + self._decoder.decode(piece)).split("\n")
        yield from whole
        if len(self._begun) > LONGEST_LINE:
            yield self._begun
            self._begun = ""

    def rest(self) -> str:
        """The beginning of a line that has not ended; empty when there is none."""
        rest: str = self._begun + self._decoder.decode(b"", final=True)
        self._begun = ""
        return rest


class Tail:
    """One file; each call gives what came since the last."""

    def __init__(self, file: Path, lines: int | None = None) -> None:
        """Take a place in the file.

        Args:
            file: Need not exist yet.
            lines: Begin with so many of its last lines; None with the first.
        """
        self._file = file
        self._offset = 0 if lines is None else _start_of_last(file, lines)
        self._inode: int | None = None
        self._split = Lines()

    def lines(self) -> Iterator[str]:
        """The lines that are complete by now, from where the last call ended.

        A file that shrank, or was replaced, is read from its beginning.
        """
        try:
            opened = self._file.open("rb")
        except FileNotFoundError:
            return
        with opened:
            status = os.fstat(opened.fileno())
            if status.st_size < self._offset or self._inode not in (None, status.st_ino):
                self._offset = 0
                self._split = Lines()
            self._inode = status.st_ino
            opened.seek(self._offset)
            while chunk := opened.read(CHUNK_BYTES):
                self._offset += len(chunk)
                yield from self._split.feed(chunk)

    @property
    def begun(self) -> str:
        """The beginning of a line that has not ended yet; it is told again when it has."""
        return self._split.begun

    def rest(self) -> str:
        """The beginning of a line that has not ended; empty when there is none."""
        return self._split.rest()


def shown_line(line: str) -> str:
    """A line as a terminal may get it: control characters are escaped, tabs stay.

    Args:
        line: As a hook wrote it. Of a progress bar (carriage returns between its states) the last
            state counts, as on a terminal.

    Returns:
        One line.
    """
    last = line.rstrip("\r").rpartition("\r")[2]
    return "\t".join(printable(part, sys.maxsize) for part in last.split("\t"))


def _start_of_last(file: Path, lines: int) -> int:
    """Where the last lines of a file begin, read from its end."""
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        return 0
    with opened:
        position = opened.seek(0, os.SEEK_END)
        if lines == 0 or position == 0:
            return position
        opened.seek(position - 1)
        # The end of the last line begins no further one.
        wanted = lines + (opened.read(1) == b"\n")
        while position > 0:
            size = min(CHUNK_BYTES, position)
            position -= size
            opened.seek(position)
            block = opened.read(size)
            found = block.count(b"\n")
            if found >= wanted:
                for _ in range(wanted):
                    size = block.rfind(b"\n", 0, size)
                return position + size + 1
            wanted -= found
        return 0
