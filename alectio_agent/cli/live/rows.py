"""Rows of the view: texts that fit a width, measured in columns of a terminal."""

from io import StringIO

from rich.console import Console
from rich.text import Text

from alectio_agent.cli.live.glyphs import Glyphs
from alectio_agent.core.log import printable

LONGEST = 1000
MEASURE = Console(file=StringIO(), force_terminal=False)
"""Folds rows; nothing is ever printed on it."""


def plain(text: object, style: str = "") -> Text:
    """Foreign text: neither its control characters nor its brackets mean anything.

    Args:
        text: Anything.
        style: Of all of it.
    """
    return Text(printable(text, LONGEST), style)


def join(*parts: Text | str, between: str = "") -> Text:
    """One row of several parts.

    Args:
        *parts: Strings are our own words.
        between: Stands between any two parts.
    """
    row = Text()
    for number, part in enumerate(parts):
        if number:
            row.append(between)
        row.append_text(part if isinstance(part, Text) else Text(part))
    return row


def fit(row: Text, width: int, glyphs: Glyphs) -> Text:
    """Cut a row at the right, and show that it was cut.

    Args:
        row: Of any length; stays as it is.
        width: Columns.
        glyphs: For the end.
    """
    if row.cell_len <= width:
        return row
    cut, end = row.copy(), glyphs.ellipsis[:width]
    cut.truncate(max(0, width - len(end)), overflow="crop")
    cut.append(end)
    return cut


def spread(left: Text, right: Text, width: int) -> Text:
    """One row with something at its right end, which is left out when there is no room.

    Args:
        left: Begins it.
        right: Ends it.
        width: Columns.
    """
    gap = width - left.cell_len - right.cell_len
    return join(left, " " * gap, right) if gap >= 2 else left


def pad(cell: Text, width: int, *, is_right: bool) -> Text:
    """A cell of a table.

    Args:
        cell: Not wider than the column.
        width: Of the column.
        is_right: Numbers stand at the right.
    """
    gap = " " * max(0, width - cell.cell_len)
    return join(gap, cell) if is_right else join(cell, gap)
