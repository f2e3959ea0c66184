"""One problem of a configuration, and all of them as one error."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from alectio_agent.core.errors import ConfigError
from alectio_agent.core.ids import TOKEN_PREFIX
from alectio_agent.core.log import printable

FOUND_LIMIT = 60
MASK = "***"
KeyPath = tuple[str | int, ...]
"""Where a value stands: keys of mappings and positions in lists, from the top."""

_SECRETS = re.compile(rf"(?<=//)[^/@\s]+(?=@)|{TOKEN_PREFIX}[A-Za-z0-9_-]+")


class Code(StrEnum):
    """What kind of problem it is; `alectio-agent explain` and the documentation use the code."""

    UNREADABLE = "E-CONF-01"
    UNKNOWN_KEY = "E-CONF-02"
    WRONG_VALUE = "E-CONF-03"
    MISSING_KEY = "E-CONF-04"
    DUPLICATE_KEY = "E-CONF-05"
    CONFLICT = "E-CONF-06"


@dataclass(frozen=True)
class Place:
    """Where a value comes from.

    Attributes:
        shown: `agent.yaml:14`, `$ALECTIO_AGENT_LOGGING__LEVEL` or `--logging-level`.
        order: Sorts problems: those of the file by position, then variables, then flags.
    """

    shown: str
    order: tuple[int, int, int]


@dataclass(frozen=True)
class Problem:
    """One thing to mend."""

    code: Code
    place: Place
    path: KeyPath
    text: str

    def order(self) -> tuple[tuple[int, int, int], str, str]:
        """Sorts problems as a reader meets them."""
        return self.place.order, self.code, dotted(self.path)

    def line(self) -> str:
        """The problem as one line: code, place, key, what is wrong."""
        key = dotted(self.path)
        return f"{self.code}  {self.place.shown}{f' {key}' if key else ''}: {self.text}"


def as_error(problems: Iterable[Problem]) -> ConfigError:
    """All problems as one error, in the order in which a reader meets them.

    Args:
        problems: At least one.

    Returns:
        The error; its message has one line per problem.
    """
    ordered = sorted(problems, key=Problem.order)
    return ConfigError("\n".join(dict.fromkeys(problem.line() for problem in ordered)))


def dotted(path: KeyPath) -> str:
    """A key as people write it.

    Args:
        path: From the top.

    Returns:
        Such as `strategy[1].share`; empty for the whole file.
    """
    text = ""
    for element in path:
        if isinstance(element, int):
            text += f"[{element}]"
        else:
            text += f"{'.' if text else ''}{printable(element, FOUND_LIMIT)}"
    return text


def found(value: object) -> str:
    """A value as a message shows it: short, on one line, without secrets.

    Args:
        value: As read from the file.

    Returns:
        Such as `'soon'`, `12`, `true`, `nothing`, `a list` or `a mapping`.
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool | int | float):
        return printable(json.dumps(value), FOUND_LIMIT)
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return f"'{printable(without_secrets(str(value)), FOUND_LIMIT)}'"


def without_secrets(text: str) -> str:
    """A text with tokens of ours, and users and passwords of URLs, replaced by `***`.

    Args:
        text: Any.
    """
    return _SECRETS.sub(MASK, text)


def shown_path(file: Path) -> str:
    """A file's path as a person in this folder would write it.

    Args:
        file: Absolute or relative.

    Returns:
        Relative to the working folder where it lies below, else absolute.
    """
    absolute, here = file.absolute(), Path.cwd()
    return printable(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
