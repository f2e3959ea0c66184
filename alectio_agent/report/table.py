"""Tables of a page: every figure has one with its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

Cell = str | Markup
"""Plain text is escaped when the page is made."""


@dataclass(frozen=True)
class Table:
    """Rows under headings; the first cell of each row is its heading.

    Attributes:
        caption: What it holds.
        heads: Of the columns.
        rows: Cells.
        more: What was left out, and where it is; empty when nothing was.
    """

    caption: str
    heads: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    more: str = ""
