"""Checks what `test` returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from alectio_agent.agent.hooks.child.columns import Column, float_column, integer_column
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some, read_indices
from alectio_agent.agent.hooks.child.plain import is_array, to_array
from alectio_agent.agent.hooks.child.results import Asked, Result
from alectio_agent.agent.hooks.child.tested_outputs import add_outputs
from alectio_agent.agent.hooks.child.tested_values import read_values

SIDES = ("predictions", "labels")
SHAPE = '{"predictions": {index: value}, "labels": {index: value}} with the same keys'


def check_test(returned: Any, asked: Asked) -> Result:
    """Check the result of `test` against the contract.

    Args:
        returned: By the hook.
        asked: By the experiment.

    Returns:
        A pair of prediction and label for each sample, in increasing order; with a row of scores
        when the hook returned `outputs`.

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
    pairs = _pairs(samples, predictions, labels, asked)
    if returned.get("outputs") is None:
        return pairs
    are_keyed = isinstance(returned["predictions"], Mapping)
    return add_outputs(pairs, returned["outputs"], asked, are_keyed=are_keyed)


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


def _pairs(samples: list[int], predictions: list[Any], labels: list[Any], asked: Asked) -> Result:
    if asked.task == "regression":
        columns = (
            float_column("prediction", predictions, samples),
            float_column("label", labels, samples),
        )
        return _of_columns(samples, columns)
    left = read_values("predictions", samples, predictions, asked)
    right = read_values("labels", samples, labels, asked)
    if asked.task == "segmentation":
        _check_shapes(samples, left, right)
    width = _common_width(left, right)
    if asked.task in ("classification", "multi_label") and width is not None:
        columns = (_integers("prediction", left, width), _integers("label", right, width))
        return _of_columns(samples, columns)
    pairs = [list(pair) for pair in zip(left, right)]
    return Result(samples, values=pairs, form="pair")


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
