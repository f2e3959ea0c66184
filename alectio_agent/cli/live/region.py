"""The rows at the bottom of a terminal that are written over and over; the lines above stay.

Rows that did not change are not written again, so nothing flickers. After a change of the size the
region is drawn anew: terminals fold long rows when they become narrower, and push rows out at the
top when they become lower, so the region knows how many rows its own have become.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from alectio_agent.cli.live.render import Line

CLEAR_ROW = "\x1b[K"
CLEAR_BELOW = "\x1b[J"
CLEAR_ALL = f"{CLEAR_ROW}\x1b7\x1b[B\r{CLEAR_BELOW}\x1b8"
"""The row of the cursor, then all below it. Where all is cleared from the top left corner of the
screen, tmux first puts what stands there into its history: a copy of the view for each resize."""


@dataclass(frozen=True)
class Size:
    """Of a terminal."""

    columns: int
    rows: int


class Writes(Protocol):
    """A terminal."""

    def write(self, text: str) -> None:
        """Write all of a text at once."""


class Region:
    """Between two calls the cursor stands at the beginning of the last row of the region."""

    def __init__(self, terminal: Writes) -> None:
        """Start without rows.

        Args:
            terminal: Its cursor stands at the beginning of an empty row.
        """
        self._terminal = terminal
        self._lines: list[Line] = []
        self._size = Size(0, 0)
        self._pushed_out = 0

    def draw(self, lines: Sequence[Line], size: Size) -> None:
        """Show rows in the place of those that are there.

        Args:
            lines: Fewer than the terminal has rows, none as wide as the terminal.
            size: Of the terminal now.
        """
        if not self._lines or size != self._size:
            self._terminal.write(self._leave(size) + _painted(lines))
        else:
            text = self._changed(lines)
            if text:
                self._terminal.write(text)
        self._lines, self._size = list(lines), size

    def print_above(self, lines: Sequence[str], size: Size) -> None:
        """Write lines that stay, above the region.

        Args:
            lines: Safe to print; without line ends.
            size: Of the terminal now.
        """
        kept = self._lines
        above = "".join(f"{line}\r\n" for line in lines)
        self._terminal.write(self._leave(size) + above + _painted(kept))
        self._lines, self._size, self._pushed_out = kept, size, 0

    def erase(self, size: Size) -> None:
        """Remove the rows; the cursor stands where the first one was.

        Args:
            size: Of the terminal now.
        """
        if self._lines:
            self._terminal.write(self._leave(size))
        self.forget()

    def forget(self) -> None:
        """Know nothing of rows drawn before: somebody else has written meanwhile."""
        self._lines, self._pushed_out = [], 0

    def _leave(self, size: Size) -> str:
        """Go to where the region begins, and clear all from there on."""
        if not self._lines:
            return ""
        up = sum(_rows(line, size) for line in self._lines[:-1])
        grown = size.rows - self._size.rows
        if grown > 0:  # what was pushed out at the top comes back
            back = min(grown, self._pushed_out)
            up, self._pushed_out = up + back, self._pushed_out - back
        used = up + _rows(self._lines[-1], size)
        self._pushed_out += max(0, used - size.rows)
        return (f"\x1b[{up}A" if up else "") + "\r" + CLEAR_ALL

    def _changed(self, lines: Sequence[Line]) -> str:
        """From the last row to the first, then down again, over what is the same."""
        old = self._lines
        if list(lines) == old:
            return ""
        text = [f"\x1b[{len(old) - 1}A" if len(old) > 1 else ""]
        for number, line in enumerate(lines):
            if number:
                text.append("\r\n")
            if number >= len(old) or line != old[number]:
                text.append(line.text + CLEAR_ROW)
        if len(lines) < len(old):
            text.append("\r\n" + CLEAR_BELOW + "\x1b[A")
        return "".join(text) + "\r"


def _painted(lines: Sequence[Line]) -> str:
    return "\r\n".join(line.text for line in lines) + ("\r" if lines else "")


def _rows(line: Line, size: Size) -> int:
    """How many rows a row became, when the terminal has folded it."""
    return max(1, -(-line.width // max(1, size.columns)))
