"""Turns rows into what a terminal gets: text with colours, one string for each row."""

from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.text import Text

from alectio_agent.cli.live.glyphs import Glyphs


@dataclass(frozen=True)
class Line:
    """One row.

    Attributes:
        text: With colours.
        width: Columns that it takes.
    """

    text: str
    width: int


class Renderer:
    """Knows the colours of one terminal; `NO_COLOR` counts."""

    def __init__(self, stream: TextIO, glyphs: Glyphs) -> None:
        """Look at the terminal.

        Args:
            stream: To it.
            glyphs: ASCII sets replace what is none.
        """
        self._console = Console(file=stream, width=10_000, highlight=False, force_terminal=True)
        self._is_ascii = not glyphs.has_braille

    def lines(self, rows: list[Text]) -> list[Line]:
        """Render rows.

        Args:
            rows: Of the view; none is wrapped.
        """
        if not rows:
            return []
        with self._console.capture() as captured:
            # One call: each costs as much as several rows.
            self._console.print(Text("\n").join(rows), soft_wrap=True)
        texts = captured.get().split("\n")
        if self._is_ascii:
            texts = [text.encode("ascii", "replace").decode() for text in texts]
        return [Line(text, row.cell_len) for text, row in zip(texts, rows, strict=False)]
