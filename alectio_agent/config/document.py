"""A configuration file as plain values that remember their lines."""

from dataclasses import dataclass, field
from typing import Any

from alectio_agent.config.problems import Code, KeyPath, Place, Problem, as_error
from alectio_agent.core.errors import ConfigError


@dataclass
class Document:
    """A file as plain values.

    Attributes:
        shown: The file's name in messages.
        value: Dicts with text keys, lists, texts, numbers, bools and None.
        marks: Line and column of each value's key (of the value itself in lists), from 1.
        problems: Duplicate keys.
    """

    shown: str
    value: Any = None
    marks: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: KeyPath) -> Place:
        """Where a value stands; for a missing one, the nearest mapping around it.

        Args:
            path: Of the value.

        Returns:
            The place.
        """
        while path not in self.marks and path:
            path = path[:-1]
        return self.at(*self.marks.get(path, (1, 1)))

    def at(self, line: int, column: int = 1) -> Place:
        """A position as a place.

        Args:
            line: From 1.
            column: From 1.

        Returns:
            The place.
        """
        return Place(f"{self.shown}:{line}", (0, line, column))

    def refuse(self, text: str, line: int | None = None, column: int = 1) -> ConfigError:
        """The error that ends the reading of this file.

        Args:
            text: What is wrong, and the mend.
            line: Where, from 1; None for the file as a whole.
            column: From 1.

        Returns:
            The error, to be raised.
        """
        place = Place(self.shown, (0, 0, 0)) if line is None else self.at(line, column)
        return as_error([Problem(Code.UNREADABLE, place, (), text)])
