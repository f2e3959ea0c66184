"""What a label may be, by the task of the experiment."""

import math
import re
from typing import Any

from alectio_agent.core.log import printable
from alectio_agent.core.nearest import nearest
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.strict_json import JsonRuleError, loads

BETWEEN_NAMES = "|"
MOST_NAMES = 12
WHOLE = re.compile(r"([0-9]{1,9})(?:\.0+)?")
"""Pandas writes a column of numbers with gaps as `0.0`."""


class LabelValueError(Exception):
    """A label that the task does not know; the message says what was found and expected."""


class LabelReader:
    """Reads labels as people write them; there may be a hundred thousand."""

    def __init__(self, settings: ExperimentSettings) -> None:
        """Look up the classes once.

        Args:
            settings: Of the experiment.
        """
        self._settings = settings
        self._names = settings.class_names
        # Cells of files have no spaces around them, names of classes may.
        self._meant: dict[str, list[str]] = {}
        for name in self._names or []:
            self._meant.setdefault(name.strip(), []).append(name)

    def read(self, said: Any) -> Any:
        """Read one label.

        Args:
            said: Plain JSON, not None; text is read as in a CSV file.

        Returns:
            The label as hooks get it: with names of classes a name, else a column; a number for
            regression; a list of names or columns for several; anything for other tasks.

        Raises:
            LabelValueError: The task has no such label.
        """
        task = self._settings.task
        if task == "classification":
            return self._class_of(said)
        if task == "multi_label":
            return self._classes_of(said)
        if task == "regression":
            return _number_of(said)
        if isinstance(said, str):
            try:
                return loads(said)
            except JsonRuleError:
                return said
        return said

    def _class_of(self, said: Any) -> Any:
        names, count = self._names, self._settings.class_count
        text = said.strip() if isinstance(said, str) else said
        if names is not None:
            # A class that is called `1` is meant by `1.0` as well, and never the column 1.
            found = self._named(said) or self._named(_whole(text))
            if found is not None:
                return found
        column = _whole(text)
        if column is not None and (count is None or 0 <= column < count):
            return column if names is None else names[column]
        raise LabelValueError(f"found {_shown(said)}, {_expected(self._settings, text)}")

    def _named(self, said: Any) -> str | None:
        """The class of that name: a number is a name first, where classes are called `1`, `2`."""
        is_number = isinstance(said, int) and not isinstance(said, bool)
        if not is_number and not isinstance(said, str):
            return None
        name = str(said)
        meant = self._meant.get(name.strip(), [])
        if len(meant) < 2:
            return meant[0] if meant else None
        if name != name.strip() and name in meant:
            return name
        shown = " and ".join(f"'{printable(each, 40)}'" for each in meant)
        raise LabelValueError(f"found {_shown(said)}, which may be {shown}; rename one")

    def _classes_of(self, said: Any) -> list[Any]:
        listed = said
        if isinstance(said, str):
            listed = _json_list(said)
            if listed is None:
                listed = [part for part in said.split(BETWEEN_NAMES) if part.strip()]
        if not isinstance(listed, list):
            raise LabelValueError(f"found {_shown(said)}, expected a list of classes")
        found = [self._class_of(each) for each in listed]
        if len({str(each) for each in found}) != len(found):
            raise LabelValueError(f"found {_shown(said)}, which names a class twice")
        return found


def _json_list(text: str) -> Any:
    if not text.strip().startswith("["):
        return None
    try:
        return loads(text)
    except JsonRuleError:
        return None


def _number_of(said: Any) -> float:
    try:
        value = float(said) if isinstance(said, str | int | float) else math.nan
    except ValueError:
        value = math.nan
    if isinstance(said, bool) or not math.isfinite(value):
        raise LabelValueError(f"found {_shown(said)}, expected a number such as 3.5")
    return value


def _whole(said: Any) -> int | None:
    if isinstance(said, str):
        found = WHOLE.fullmatch(said)
        return int(found[1]) if found else None
    if isinstance(said, float):
        return int(said) if said.is_integer() else None
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _expected(settings: ExperimentSettings, text: Any) -> str:
    names = settings.class_names
    if names is None:
        last = (settings.class_count or 1) - 1
        return f"expected a column number from 0 to {last}"
    meant = nearest(text, names) if isinstance(text, str) else None
    shown = ", ".join(printable(name, 40) for name in names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    mend = f". Did you mean `{printable(meant, 80)}`?" if meant else ""
    return f"expected a class: {shown}{more}{mend}"


def _shown(said: Any) -> str:
    return f"'{printable(said, 60)}'" if isinstance(said, str) else printable(repr(said), 60)
