"""Text for people, folded to the width of their terminal."""

import os
import re
import shutil
import textwrap
from typing import TextIO

WIDEST = 100
"""Longer lines are hard to read, whatever the terminal's width."""

_IN_ONE_PIECE = re.compile(r"`[^`\n]+`|\balectio-agent(?: (?!\()\S*[^\s.,;:)])+")
"""What people copy: what stands between backticks, and commands up to the end of their sentence."""
_GLUE = "\0"
_PARAGRAPHS = re.compile(r"\n\s*\n")


def page_width() -> int:
    """Columns to fold at; 80 in a pipe."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def width_of(stream: TextIO) -> int | None:
    """Columns of a terminal; $COLUMNS counts first.

    Args:
        stream: stdout or stderr.

    Returns:
        None when it is no terminal: a pipe's lines are for programs and are never folded.
    """
    if not stream.isatty():
        return None
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except OSError:
        return None


def fold_lines(text: str, width: int | None, hang: int = 2) -> str:
    """Fold each line by itself; paths and commands stay in one piece.

    Args:
        text: Lines, which may be indented.
        width: Columns; None folds nothing.
        hang: How many columns further in than its beginning a line goes on.

    Returns:
        The same words.
    """
    if width is None:
        return text
    return "\n".join(_fold_line(line, width, hang) for line in text.splitlines())


def _fold_line(line: str, width: int, hang: int) -> str:
    if len(line) <= width:
        return line
    begin = " " * (len(line) - len(line.lstrip()))
    folded = textwrap.fill(
        glued(line.strip(), max(1, width - len(begin) - hang)),
        width,
        initial_indent=begin,
        subsequent_indent=begin + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return unglued(folded)


def glued(text: str, room: int) -> str:
    """Text in which what people copy has no space to be folded at.

    Args:
        text: Without line breaks.
        room: Columns; what is longer may be folded all the same.
    """

    def glue(found: re.Match[str]) -> str:
        return found[0].replace(" ", _GLUE) if len(found[0]) <= room else found[0]

    return _IN_ONE_PIECE.sub(glue, text)


def unglued(text: str) -> str:
    """The same with its spaces, once it is folded.

    Args:
        text: From `glued`.
    """
    return text.replace(_GLUE, " ")


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
