"""Values as they stand in a YAML file that a person will edit."""

import json
import re
from typing import Any

from alectio_agent.config.yaml_lines import read_scalar

WIDEST = 32
"""Longer values do not push the comments of all others to the right."""
PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9/._-]*")


def scalar(text: str) -> str:
    """A text, with quotation marks where YAML would take it for something else.

    Args:
        text: Any.
    """
    if PLAIN.fullmatch(text) and read_scalar(text) == text:
        return text
    return quoted(text)


def quoted(value: Any) -> str:
    """A value as JSON, which YAML can read as well.

    Args:
        value: Plain.

    Returns:
        One line.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def aligned(text: str) -> str:
    """A file whose comments behind values stand in one column, as far as values are short.

    Args:
        text: With one blank before each comment.
    """
    split = [_split(line) for line in text.splitlines()]
    short = [len(value) for value, comment in split if comment and len(value) <= WIDEST]
    column = max(short, default=0)
    lines = [f"{value:<{column}}  {comment}" if comment else value for value, comment in split]
    return "".join(f"{line}\n" for line in lines)


def _split(line: str) -> tuple[str, str]:
    """A line's value, which may be commented out itself, and its comment."""
    start = len(line) - len(line.lstrip("# "))
    at = line.find(" # ", start)
    while at >= 0 and line.count('"', 0, at) % 2:  # within a quoted text
        at = line.find(" # ", at + 1)
    return (line, "") if at < 0 else (line[:at], line[at + 1 :])
