"""Checks what `infer` returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alectio_agent.agent.hooks.child.detections import check_detection
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some
from alectio_agent.agent.hooks.child.matching import order_rows, read_keys, take
from alectio_agent.agent.hooks.child.plain import NotPlainError, is_array, to_array, to_plain
from alectio_agent.agent.hooks.child.results import Asked, Notice, Result
from alectio_agent.agent.hooks.child.score_rows import (
    as_sequence,
    probability_notices,
    score_columns,
)

RECTANGULAR = ("classification", "multi_label", "regression")
SHAPE = '{"outputs": {index: row}}, or for large pools {"outputs": array, "indices": array}'


def check_infer(returned: Any, asked: Asked) -> Result:
    """Check the result of `infer` against the contract.

    Args:
        returned: By the hook.
        asked: By the experiment; `unlabeled` is the exact set of samples.

    Returns:
        A row for each sample, in increasing order.

    Raises:
        ContractError: Any rule of the contract is broken.
    """
    keys, rows = _split(returned)
    what = "`indices`" if "indices" in returned else "`outputs`"
    if len(keys) != len(rows):
        read_keys(keys, what)  # what is wrong with them is told first
        raise ContractError(
            "`outputs` has {:,} rows and `indices` {:,}; expected as many".format(
                len(rows), len(keys)
            )
        )
    order, are_positions = order_rows(keys, asked.unlabeled, what)
    samples, rows = asked.unlabeled, take(rows, order)
    notices = (_positions(len(samples)),) if are_positions else ()
    if asked.task not in RECTANGULAR:
        return Result(samples, values=_plain_rows(samples, rows, asked), notices=notices)
    columns, form = score_columns(rows, samples, asked)
    notices = (*notices, *probability_notices("infer", columns, asked))
    return Result(samples, columns=columns, form=form, notices=notices)


def _split(returned: Any) -> tuple[Any, Any]:
    """Keys and rows of what came back; whole numbers in an array stay there."""
    if not isinstance(returned, Mapping):
        raise ContractError("returned a {}; expected {}".format(type(returned).__name__, SHAPE))
    if "outputs" not in returned:
        raise ContractError(
            "returned a dict without `outputs`; expected {}".format(SHAPE),
            "found the keys {}".format(name_some([repr(key)[:80] for key in returned])),
        )
    outputs, indices = returned["outputs"], returned.get("indices")
    if isinstance(outputs, Mapping) and indices is None:
        return list(outputs), list(outputs.values())
    if indices is None or isinstance(outputs, Mapping):
        what = "a dict and `indices`" if indices is not None else type(outputs).__name__
        raise ContractError(
            "`outputs` is a bare {}: its rows belong to no index; expected {}".format(what, SHAPE)
            if indices is None
            else "found both {}; `indices` goes with an array; expected {}".format(what, SHAPE)
        )
    rows, keys = to_array(outputs), to_array(indices)
    is_flat = is_array(keys) and keys.ndim == 1
    return (
        keys if is_flat else as_sequence(indices, "indices"),
        rows if is_array(rows) else as_sequence(rows, "outputs"),
    )


def _plain_rows(samples: Sequence[int], rows: Any, asked: Asked) -> list[Any]:
    values = []
    for sample, row in zip(samples, rows):
        try:
            value = to_plain(row)
        except NotPlainError as error:
            raise ContractError(
                "the row of sample {} cannot be sent".format(sample), str(error)
            ) from None
        if asked.task == "object_detection":
            check_detection(value, sample, asked, ("boxes", "scores", "pre_softmax"))
        values.append(value)
    return values


def _positions(count: int) -> Notice:
    return Notice(
        "positions",
        "keys of `outputs` are exactly 0..{} and not the indices of `unlabeled`: taken as "
        "positions in `unlabeled`".format(count - 1),
        is_once=True,
    )
