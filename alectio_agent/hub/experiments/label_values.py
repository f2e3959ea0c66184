"""What a label may be, by the task of the experiment."""

import math
from typing import Any

from alectio_agent.core.log import printable
from alectio_agent.core.nearest import nearest
from alectio_agent.wire.experiment import ExperimentSettings
from alectio_agent.wire.strict_json import JsonRuleError, loads

BETWEEN_NAMES = "|"
MOST_NAMES = 12


class LabelValueError(Exception):
    """A label that the task does not know; the message says what was found and expected."""


def read_label(settings: ExperimentSettings, said: Any) -> Any:
    """Read a label as people write it.

    Args:
        settings: Of the experiment.
        said: Plain JSON, not None; text is read as in a CSV file.

    Returns:
        The label as hooks get it: with names of classes a name, else a column; a number for
        regression; a list of names or columns for several; anything for other tasks.

    Raises:
        LabelValueError: The task has no such label.
    """
    if settings.task == "classification":
        return _class_of(settings, said)
    if settings.task == "multi_label":
        return _classes_of(settings, said)
    if settings.task == "regression":
        return _number_of(said)
    if isinstance(said, str):
        try:
            return loads(said)
        except JsonRuleError:
            return said
    return said


def _class_of(settings: ExperimentSettings, said: Any) -> Any:
    names, count = settings.class_names, settings.class_count
    text = said.strip() if isinstance(said, str) else said
    if names is not None and text in names:
        return text
    column = _whole(text)
    if column is not None and (count is None or 0 <= column < count):
        return column if names is None else names[column]
    raise LabelValueError(f"found {_shown(said)}, {_expected(settings, text)}")


def _classes_of(settings: ExperimentSettings, said: Any) -> list[Any]:
    listed = said
    if isinstance(said, str):
        listed = _json_list(said)
        if listed is None:
            listed = [part for part in said.split(BETWEEN_NAMES) if part.strip()]
    if not isinstance(listed, list):
        raise LabelValueError(f"found {_shown(said)}, expected a list of classes")
    found = [_class_of(settings, each) for each in listed]
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
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) < 10:
        return int(said)
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
