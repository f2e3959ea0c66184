"""Checks the scores that `test` may return beside its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some, read_indices
from alectio_agent.agent.hooks.child.plain import is_array, to_array
from alectio_agent.agent.hooks.child.results import Asked, Notice, Result
from alectio_agent.agent.hooks.child.score_rows import (
    SCORES,
    as_sequence,
    probability_notices,
    score_columns,
)


def add_outputs(pairs: Result, given: Any, asked: Asked, *, are_keyed: bool) -> Result:
    """Check `outputs` of `test`, which must be rows as `infer` returns them.

    Args:
        pairs: Predictions and labels, checked.
        given: `{index: row}`, or an array or list of rows.
        asked: By the experiment.
        are_keyed: Whether the predictions came by index; then rows must, too.

    Returns:
        The pairs, each with its row of scores.

    Raises:
        ContractError: Other samples than the predictions, or rows that break a rule of `infer`.
    """
    if asked.task != "classification":
        return replace(pairs, notices=(_unread(asked.task),))
    rows = (
        _by_key(given, pairs.index)
        if isinstance(given, Mapping)
        else _by_place(given, pairs.index, are_keyed=are_keyed)
    )
    columns, form = score_columns(rows, pairs.index, asked)
    # Nothing reads an embedding of a test sample.
    scores = tuple(column for column in columns if column.name in SCORES)
    if not scores:
        raise ContractError(
            "rows of `outputs` hold no scores; expected one of {}".format(", ".join(SCORES))
        )
    notices = probability_notices("test", scores, asked)
    if pairs.columns:
        form = "pair" if form == "row" else "pair_fields"
        return replace(pairs, columns=(*pairs.columns, *scores), form=form, notices=notices)
    told = Result(pairs.index, columns=scores, form=form).plain_rows(0, len(pairs.index))
    values = [[*pair, row] for pair, row in zip(pairs.values, told)]
    return replace(pairs, values=values, notices=notices)


def _unread(task: str) -> Notice:
    text = "test returned `outputs`, which nothing reads for task {}".format(task)
    return Notice("outputs", text, is_once=True)


def _by_key(given: Mapping[Any, Any], samples: Sequence[int]) -> list[Any]:
    rows = dict(zip(read_indices(given, "`outputs`"), given.values()))
    missing = [sample for sample in samples if sample not in rows]
    further = sorted(rows.keys() - set(samples))
    if missing or further:
        told = [
            "{:,} only in `{}`: {}".format(len(odd), name, name_some(odd))
            for odd, name in ((missing, "predictions"), (further, "outputs"))
            if odd
        ]
        raise ContractError(
            "`outputs` and `predictions` have different keys: {}".format("; ".join(told))
        )
    return [rows[sample] for sample in samples]


def _by_place(given: Any, samples: Sequence[int], *, are_keyed: bool) -> Any:
    """Rows in the order of predictions that have no keys either."""
    if are_keyed:
        raise ContractError(
            "`outputs` is a {}; expected {{index: row}} with the keys of `predictions`".format(
                type(given).__name__
            )
        )
    found = to_array(given)
    rows = found if is_array(found) and found.ndim else as_sequence(given, "outputs")
    if len(rows) != len(samples):
        raise ContractError(
            "found {:,} rows of `outputs` and {:,} predictions; expected as many".format(
                len(rows), len(samples)
            )
        )
    return rows
