"""Reads single predictions and labels of `test`, by the task of the experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from alectio_agent.agent.hooks.child.detections import check_detection
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some
from alectio_agent.agent.hooks.child.plain import NotPlainError, to_plain
from alectio_agent.agent.hooks.child.results import Asked

Reader = Callable[[Any, int, Asked, str], Any]


def read_values(name: str, samples: list[int], values: list[Any], asked: Asked) -> list[Any]:
    """Read all predictions, or all labels.

    Args:
        name: `predictions` or `labels`.
        samples: Index of each value.
        values: As the hook gave them.
        asked: By the experiment.

    Returns:
        Plain values.

    Raises:
        ContractError: Values that are none of the task's; it names the samples.
    """
    reader = _READERS.get(asked.task, _anything)
    read, wrong, found = [], [], []
    for sample, value in zip(samples, values):
        plain, complaint = _try(reader, value, sample, asked, name)
        read.append(plain)
        if complaint is not None:
            wrong.append(sample)
            found.append("sample {}: {}".format(sample, complaint)[:200])
    if wrong:
        raise ContractError(
            "{:,} of {:,} values of `{}` are wrong (samples {}); expected {}".format(
                len(wrong), len(values), name, name_some(wrong), _expected(asked)
            ),
            "; ".join(found[:3]),
        )
    return read


def _try(
    reader: Reader, value: Any, sample: int, asked: Asked, name: str
) -> tuple[Any, Optional[str]]:
    """The value, or what is wrong with it."""
    try:
        return reader(value, sample, asked, name), None
    except (NotPlainError, ValueError) as error:
        return None, str(error)


def _class_value(value: Any, _sample: int, asked: Asked, _name: str) -> Any:
    """A class as a whole number, or its name."""
    plain = value if type(value) in (int, str) else to_plain(value)
    if isinstance(plain, str):
        if asked.class_names is None or plain not in asked.class_names:
            raise ValueError("{!r}".format(plain))
        return plain
    if isinstance(plain, (bool, float)) and int(plain) == plain:
        plain = int(plain)
    if type(plain) is not int or plain < 0 or not plain < (asked.classes or plain + 1):
        raise ValueError("{!r}".format(plain))
    return plain


def _label_set(value: Any, _sample: int, asked: Asked, _name: str) -> list[int]:
    """Which labels apply: a 0 or a 1 for each class."""
    plain = to_plain(value)
    is_row = isinstance(plain, list) and len(plain) == (asked.classes or len(plain))
    if not is_row or any(entry not in (0, 1) for entry in plain):
        raise ValueError("{!r}".format(plain))
    return [int(entry) for entry in plain]


def _boxes(value: Any, sample: int, asked: Asked, name: str) -> Any:
    plain = to_plain(value)
    needed = ("boxes", "objects", "scores") if name == "predictions" else ("boxes", "objects")
    check_detection(plain, sample, asked, needed)
    return plain


def _anything(value: Any, _sample: int, _asked: Asked, _name: str) -> Any:
    return to_plain(value)


def _expected(asked: Asked) -> str:
    if asked.task == "classification":
        names = " or one of the experiment's names" if asked.class_names else ""
        return "a class from 0 to {}{}".format((asked.classes or 1) - 1, names)
    if asked.task == "multi_label":
        return "a list of {} zeros and ones, one for each class".format(asked.classes or "")
    return "finite numbers, texts, lists and dicts"


_READERS: dict[str, Reader] = {
    "classification": _class_value,
    "multi_label": _label_set,
    "object_detection": _boxes,
}
