"""Reads a growing file of text line by line, whatever bytes a hook wrote into it."""

import codecs
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO, Literal, Protocol

from alectio_agent.core.log import printable
from alectio_agent.core.sparse import data_end, data_parts
from alectio_agent.core.units import format_size

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


class Opens(Protocol):
    """A file on disk: a `Path`, or what another process has handed over."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """Open it for reading."""


class Tail:
    """One file; each call gives what came since the last."""

    def __init__(self, file: Opens, lines: int | None = None) -> None:
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
            while self._offset < status.st_size:
                start, end = data_end(opened.fileno(), self._offset, status.st_size)
                if start > self._offset:
                    yield from self._skip(start)
                opened.seek(start)
                chunk = opened.read(min(CHUNK_BYTES, end - start))
                self._offset = start + len(chunk)
                yield from self._split.feed(chunk)

    def _skip(self, position: int) -> Iterator[str]:
        """Go over what was dropped of a long log, and say so; lines are cut by it."""
        dropped = format_size(position - self._offset)
        self._offset = position
        if cut := self._split.rest():
            yield cut
        yield f"[... {dropped} dropped ...]"

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


def _start_of_last(file: Opens, lines: int) -> int:
    """Where the last lines of a file begin, read from its end."""
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        return 0
    with opened:
        size = opened.seek(0, os.SEEK_END)
        if lines == 0 or size == 0:
            return size
        opened.seek(size - 1)
        # The end of the last line begins no further one.
        wanted = lines + (opened.read(1) == b"\n")
        for begin, block in _blocks_backwards(opened, size):
            found = block.count(b"\n")
            if found >= wanted:
                end = len(block)
                for _ in range(wanted):
                    end = block.rfind(b"\n", 0, end)
                return begin + end + 1
            wanted -= found
        return 0


def _blocks_backwards(opened: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """What a file holds, from its end on, with where each block begins; holes are left out."""
    for start, end in reversed(list(data_parts(opened.fileno(), size))):
        position = end
        while position > start:
            begin = max(start, position - CHUNK_BYTES)
            opened.seek(begin)
            yield begin, opened.read(position - begin)
            position = begin
