"""Text for people, folded to the width of their terminal."""

import re
import shutil
import textwrap

WIDEST = 100
"""Longer lines are hard to read, whatever the terminal's width."""

_PARAGRAPHS = re.compile(r"\n\s*\n")


def page_width() -> int:
    """Columns to fold at; 80 in a pipe."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def fold(text: str, width: int) -> str:
    """Fold paragraphs; lines that are indented (commands, files) stay as they are.

    Args:
        text: Paragraphs, with an empty line between them.
        width: Columns, 1 or more.

    Returns:
        The same words on lines of this width; only a longer word sticks out.
    """
    return "\n\n".join(_fold(part, width) for part in _PARAGRAPHS.split(text.strip("\n")))


def entry(name: str, text: str, width: int) -> str:
    """One entry of a list: a name, and beside it a text that keeps to its own column.

    Args:
        name: Short.
        text: One paragraph.
        width: Columns.

    Returns:
        One or more lines.
    """
    return textwrap.fill(
        f"{name}  {text}",
        width=width,
        subsequent_indent=" " * (len(name) + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _fold(paragraph: str, width: int) -> str:
    if paragraph.startswith("    "):
        return paragraph
    return textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
