"""Checks what `test` returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

from alectio_agent.agent.hooks.child.columns import Column, float_column, integer_column
from alectio_agent.agent.hooks.child.detections import check_detection
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some, read_indices
from alectio_agent.agent.hooks.child.plain import NotPlainError, is_array, to_array, to_plain
from alectio_agent.agent.hooks.child.results import Asked, Result

Reader = Callable[[Any, int, Asked, str], Any]

SIDES = ("predictions", "labels")
SHAPE = '{"predictions": {index: value}, "labels": {index: value}} with the same keys'


def check_test(returned: Any, asked: Asked) -> Result:
    """Check the result of `test` against the contract.

    Args:
        returned: By the hook.
        asked: By the experiment.

    Returns:
        A pair of prediction and label for each sample, in increasing order.

    Raises:
        ContractError: Any rule of the contract is broken.
    """
    if not isinstance(returned, Mapping) or not set(SIDES) <= set(returned):
        found = type(returned).__name__
        if isinstance(returned, Mapping):
            found = "the keys {}".format(name_some([repr(key)[:80] for key in returned]))
        raise ContractError(
            "returned no dict with `predictions` and `labels`; expected {}".format(SHAPE),
            "found {}".format(found),
        )
    samples, predictions, labels = _pair_up(returned["predictions"], returned["labels"])
    if not samples:
        raise ContractError("returned no predictions; expected at least one")
    if asked.task == "regression":
        columns = (
            float_column("prediction", predictions, samples),
            float_column("label", labels, samples),
        )
        return _of_columns(samples, columns)
    return _by_value(samples, predictions, labels, asked)


def _pair_up(predictions: Any, labels: Any) -> tuple[list[int], list[Any], list[Any]]:
    """Samples in increasing order with both values of each."""
    if isinstance(predictions, Mapping) and isinstance(labels, Mapping):
        left = dict(zip(read_indices(predictions, "`predictions`"), predictions.values()))
        right = dict(zip(read_indices(labels, "`labels`"), labels.values()))
        _check_same_keys(left, right)
        samples = sorted(left)
        return samples, [left[s] for s in samples], [right[s] for s in samples]
    first, second = _as_list(predictions, "predictions"), _as_list(labels, "labels")
    if len(first) != len(second):
        raise ContractError(
            "found {:,} predictions and {:,} labels; expected as many".format(
                len(first), len(second)
            )
        )
    return list(range(len(first))), first, second


def _as_list(values: Any, name: str) -> list[Any]:
    found = to_array(values)
    if is_array(found):
        return list(found) if found.ndim > 1 else list(found.tolist())
    if isinstance(found, Sequence) and not isinstance(found, (str, bytes)):
        return list(found)
    raise ContractError(
        "`{}` is a {}; expected two dicts with the same keys, or two lists or arrays of one "
        "length".format(name, type(values).__name__)
    )


def _check_same_keys(left: Mapping[int, Any], right: Mapping[int, Any]) -> None:
    if left.keys() == right.keys():
        return
    odd = [sorted(left.keys() - right.keys()), sorted(right.keys() - left.keys())]
    told = [
        "{:,} only in `{}`: {}".format(len(only), name, name_some(only))
        for only, name in zip(odd, SIDES)
        if only
    ]
    raise ContractError(
        "`predictions` and `labels` have different keys: {}".format("; ".join(told))
    )


def _by_value(
    samples: list[int], predictions: list[Any], labels: list[Any], asked: Asked
) -> Result:
    read: dict[str, Reader] = {
        "classification": _class_value,
        "multi_label": _label_set,
        "object_detection": _boxes,
    }
    reader = read.get(asked.task, _anything)
    left = _read_all("predictions", samples, predictions, asked, reader)
    right = _read_all("labels", samples, labels, asked, reader)
    if asked.task == "segmentation":
        _check_shapes(samples, left, right)
    width = _common_width(left, right)
    if asked.task in ("classification", "multi_label") and width is not None:
        columns = (_integers("prediction", left, width), _integers("label", right, width))
        return _of_columns(samples, columns)
    pairs = [list(pair) for pair in zip(left, right)]
    return Result(samples, values=pairs, form="pair")


def _read_all(
    name: str,
    samples: list[int],
    values: list[Any],
    asked: Asked,
    reader: Reader,
) -> list[Any]:
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


def _check_shapes(samples: list[int], left: list[Any], right: list[Any]) -> None:
    odd = [s for s, p, t in zip(samples, left, right) if _shape(p) != _shape(t)]
    if odd:
        raise ContractError(
            "prediction and label have different shapes (samples {}); expected two maps of one "
            "size".format(name_some(odd))
        )


def _shape(value: Any) -> tuple[int, ...]:
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        value = value[0] if value else None
    return tuple(sizes)


def _common_width(left: list[Any], right: list[Any]) -> Optional[int]:
    """Numbers in each value, 0 for plain ones; None when the values are no such thing."""
    widths = {
        len(value) if isinstance(value, list) else 0 if type(value) is int else None
        for value in (*left, *right)
    }
    return widths.pop() if len(widths) == 1 else None


def _integers(name: str, values: list[Any], width: int) -> Column:
    if not width:
        return integer_column(name, values)
    return integer_column(name, [entry for value in values for entry in value], width)


def _of_columns(samples: list[int], columns: tuple[Column, ...]) -> Result:
    return Result(samples, columns=columns, form="pair")
