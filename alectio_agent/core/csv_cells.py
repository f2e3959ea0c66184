"""Cells of CSV files that people open in spreadsheets."""

import re

_NEEDS_QUOTES = re.compile(r'[",\r\n]|^\s|\s$')
_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def defused(text: str) -> str:
    """Put a `'` before a text that a spreadsheet would run as a formula.

    Args:
        text: From data, or from people.

    Returns:
        The same, when it is harmless.
    """
    is_formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def quoted(text: str) -> str:
    """A cell, in quotes where they are needed.

    Args:
        text: What stands in the cell.

    Returns:
        As it stands in the file, where commas are between cells.
    """
    # Not the csv module: with lines that end in \n it leaves a bare \r unquoted.
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if _NEEDS_QUOTES.search(text) else text
