"""What the result of `infer` says, as arrays."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.files import Fields, ResultFiles, read_blocks
from alectio_agent.analysis.outputs import Array, Kind, Outputs, check_index
from alectio_agent.core.errors import ScoresError

BARE = "row"
"""Stands for the field of rows that are bare lists."""

Blocks = Sequence[tuple[str, Fields]]
"""Parts of a result, each with the place that messages name."""

_KINDS: Mapping[str, Kind | None] = {
    BARE: None,
    "logits": None,
    "pre_softmax": "logits",
    "softmax": "probabilities",
    "sigmoid": "sigmoid",
}
"""Fields that hold scores, the preferred first; None: the experiment's `output` says which."""


def read_index(result: ResultFiles) -> NDArray[np.int64]:
    """The samples that a result is about, whatever it says about them.

    Args:
        result: Of an `infer` step.

    Returns:
        Distinct sample indices in the order of the rows.

    Raises:
        ScoresError: Unreadable, or an index that cannot be.
    """
    return join_index(fields["index"] for _, fields in read_blocks(result, lambda _: {}))


def read_outputs(
    result: ResultFiles, output: str | None, classes: int | None
) -> tuple[NDArray[np.int64], Outputs]:
    """The scores that `infer` returned.

    Args:
        result: Of an `infer` step.
        output: What bare rows hold by the experiment's word: `logits` or `probabilities`.
        classes: Columns that each row must have; one column will do for two classes.

    Returns:
        Distinct sample indices and scores, row by row.

    Raises:
        ScoresError: Unreadable; no scores; rows of different or wrong width.
    """
    blocks = list(read_blocks(result, score_fields))
    return join_index(fields["index"] for _, fields in blocks), to_outputs(blocks, output, classes)


def to_outputs(blocks: Blocks, output: str | None, classes: int | None) -> Outputs:
    """The scores in blocks that have been read.

    Args:
        blocks: Each with its place, for messages.
        output: What bare rows hold by the experiment's word: `logits` or `probabilities`.
        classes: Columns that each row must have; one column will do for two classes.

    Returns:
        Scores, row by row.

    Raises:
        ScoresError: No scores; rows of different or wrong width.
    """
    fields_used = [_score_field(place, fields) for place, fields in blocks]
    declared: Kind = "probabilities" if output == "probabilities" else "logits"
    kinds = {_KINDS[field] or declared for field in fields_used}
    if len(kinds) > 1:
        raise ScoresError(f"found {' and '.join(sorted(kinds))}; expected one kind of score")
    scores = tuple(
        _matrix(place, field, fields)
        for (place, fields), field in zip(blocks, fields_used, strict=True)
    )
    _check_widths(scores, classes)
    return Outputs(scores, min(kinds, default="logits"), _embedding(blocks))


def score_fields(values: list[Any]) -> Fields:
    """What rows of scores mean, as JSON has them.

    Args:
        values: Bare rows, or a dict of fields each.

    Returns:
        A list for each field.
    """
    if isinstance(values[0], dict):
        return {name: [value[name] for value in values] for name in values[0]}
    return {BARE: values}


def join_index(indices: Iterable[Array]) -> NDArray[np.int64]:
    """The sample indices of all blocks.

    Args:
        indices: Of each block.

    Returns:
        One array.

    Raises:
        ScoresError: No whole numbers, negative, or one twice.
    """
    parts = list(indices)
    joined = np.concatenate(parts) if parts else np.empty(0, np.int64)
    if joined.dtype.kind not in "iu":
        raise ScoresError(f"found indices of type {joined.dtype}; expected whole numbers")
    index = joined.astype(np.int64, copy=False)
    check_index(index)
    return index


def has_scores(fields: Fields) -> bool:
    """Whether a block holds scores of any kind."""
    return not _KINDS.keys().isdisjoint(fields)


def _score_field(place: str, fields: Fields) -> str:
    for name in _KINDS:
        if name in fields:
            return name
    found = ", ".join(sorted(fields.keys() - {"index"})) or "nothing"
    raise ScoresError(f"{place}: found {found}; expected scores, such as `logits`")


def _matrix(place: str, field: str, fields: Fields) -> Array:
    """One field as a matrix with a row per index; a plain number is a row of one."""
    try:
        values = np.asarray(fields[field])
    except ValueError as error:
        raise ScoresError(f"{place}: rows of `{field}` have different widths") from error
    if values.dtype.kind not in "fiu" or values.ndim not in (1, 2):
        raise ScoresError(
            f"{place}: `{field}` has {values.ndim} dimensions of type {values.dtype}; "
            "expected one row of numbers for each index"
        )
    if len(values) != len(fields["index"]):
        raise ScoresError(
            f"{place}: found {len(values)} rows of `{field}` and {len(fields['index'])} indices"
        )
    return values.reshape(len(values), -1)


def _embedding(blocks: Blocks) -> tuple[Array, ...] | None:
    if not blocks or not all("embedding" in fields for _, fields in blocks):
        return None
    found = tuple(_matrix(place, "embedding", fields) for place, fields in blocks)
    _check_widths(found, None)
    return found


def _check_widths(matrices: tuple[Array, ...], classes: int | None) -> None:
    widths = {matrix.shape[1] for matrix in matrices}
    if len(widths) > 1:
        raise ScoresError(f"rows have {' and '.join(map(str, sorted(widths)))} scores")
    width = max(widths, default=classes)
    if classes is None or width == classes or (width, classes) == (1, 2):
        return
    raise ScoresError(
        f"rows have {width} scores; the experiment has {classes} classes. "
        "A model that has not seen every class yet must spread its columns"
    )
