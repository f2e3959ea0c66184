"""Checks rows of scores: what `infer` returns, and `test` beside its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Optional

from alectio_agent.agent.hooks.child.columns import Column, float_column, sums_to_one
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some
from alectio_agent.agent.hooks.child.plain import is_array, to_array
from alectio_agent.agent.hooks.child.results import Asked, Notice

SCORES = ("logits", "pre_softmax", "softmax", "sigmoid")
FIELDS = (*SCORES, "embedding")
LOGITS = ("logits", "pre_softmax")


def score_columns(
    rows: Any, samples: Sequence[int], asked: Asked
) -> tuple[tuple[Column, ...], str]:
    """Check rows and turn them into columns.

    Args:
        rows: An array, or a list with a row for each sample: bare scores, or a dict of fields.
        samples: Index of each row.
        asked: By the experiment.

    Returns:
        The columns, and the form of a row: `row` or `fields`.

    Raises:
        ContractError: Rows of another width, different fields, or a value that is not finite.
    """
    expected = None if asked.task == "regression" else asked.classes
    if is_array(rows) or not _hold_fields(rows):
        name = "value" if asked.task == "regression" else "logits"
        return (float_column(name, rows, samples, expected),), "row"
    fields = _common_fields(rows, samples)
    return tuple(
        float_column(
            name,
            list(map(itemgetter(name), rows)),
            samples,
            expected if name in SCORES else None,
        )
        for name in fields
    ), "fields"


def probability_notices(step: str, columns: Sequence[Column], asked: Asked) -> tuple[Notice, ...]:
    """What to say of rows that look like probabilities, though raw scores were promised.

    Args:
        step: That returned them.
        columns: Checked.
        asked: By the experiment.
    """
    is_promised = asked.task == "classification" and asked.output in (None, "logits")
    if not (is_promised and any(c.name in LOGITS and sums_to_one(c) for c in columns)):
        return ()
    text = (
        "{} rows sum to 1; these look like probabilities, pre-softmax scores were promised "
        "(E-HOOK-07). Write `output: probabilities` into experiment.yaml, or return the raw scores"
    )
    return (Notice("probabilities", text.format(step)),)


def as_sequence(values: Any, name: str) -> Sequence[Any]:
    """A list of rows, or of indices.

    Args:
        values: An array, tensor, list or tuple.
        name: Of the key, for messages.

    Raises:
        ContractError: It is nothing like that.
    """
    found = to_array(values)
    found = found.tolist() if is_array(found) else found
    if isinstance(found, Sequence) and not isinstance(found, (str, bytes)):
        return found
    raise ContractError(
        "`{}` is a {}; expected an array or a list".format(name, type(values).__name__)
    )


def _hold_fields(rows: Sequence[Any]) -> bool:
    return any(issubclass(kind, Mapping) for kind in set(map(type, rows)))


def _common_fields(rows: Sequence[Any], samples: Sequence[int]) -> list[str]:
    """The known fields, which must be the same in every row; others are left out."""
    first = _known_fields(rows[0])
    odd = [] if _are_alike(rows) else _odd_rows(rows, samples, first)
    if odd:
        raise ContractError(
            "rows hold different fields; expected the same in each (samples {})".format(
                name_some(odd)
            )
        )
    if not first:
        raise ContractError(
            "rows hold none of the fields {}".format(", ".join(FIELDS)),
            "found {}".format(name_some([repr(key)[:80] for key in rows[0]])),
        )
    return first


def _are_alike(rows: Sequence[Any]) -> bool:
    """Whether all rows are dicts with the same keys in the same order, as they are made usually."""
    return set(map(type, rows)) == {dict} and len(set(map(tuple, rows))) == 1


def _odd_rows(rows: Sequence[Any], samples: Sequence[int], first: Optional[list[str]]) -> list[int]:
    return [sample for row, sample in zip(rows, samples) if _known_fields(row) != first]


def _known_fields(row: Any) -> Optional[list[str]]:
    return [name for name in FIELDS if name in row] if isinstance(row, Mapping) else None
