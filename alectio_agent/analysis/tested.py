"""What the result of `test` says: predictions, labels, and scores when there are any."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.files import Fields, ResultFiles, read_blocks
from alectio_agent.analysis.outputs import Outputs
from alectio_agent.analysis.results import (
    Blocks,
    has_scores,
    join_index,
    score_fields,
    to_outputs,
)
from alectio_agent.core.errors import ScoresError

WITH_SCORES = 3
"""Entries of a row that has scores: prediction, label, scores."""


@dataclass(frozen=True)
class Tested:
    """A test set, row by row.

    Attributes:
        index: Distinct sample indices.
        predictions: Column numbers or names of classes.
        labels: Likewise.
        blocks: As they were read, for the scores.
    """

    index: NDArray[np.int64]
    predictions: list[Any]
    labels: list[Any]
    blocks: Blocks

    def outputs(self, output: str | None, classes: int | None) -> Outputs | None:
        """The scores behind the predictions.

        Args:
            output: What bare rows hold by the experiment's word: `logits` or `probabilities`.
            classes: Columns that each row must have; one column will do for two classes.

        Returns:
            A row for each sample; None when the hook returned none.

        Raises:
            ScoresError: Rows of different or wrong width.
        """
        if not any(has_scores(fields) for _, fields in self.blocks):
            return None
        return to_outputs(self.blocks, output, classes)


def read_test(result: ResultFiles) -> Tested:
    """What `test` returned.

    Args:
        result: Of a `test` step.

    Returns:
        Predictions and labels.

    Raises:
        ScoresError: Unreadable, or rows that are no pairs.
    """
    blocks = list(read_blocks(result, _tested_fields))
    predictions: list[Any] = []
    labels: list[Any] = []
    for place, fields in blocks:
        if not {"prediction", "label"} <= fields.keys():
            raise ScoresError(f"{place}: expected a `prediction` and a `label` for each index")
        predictions += _as_list(fields["prediction"])
        labels += _as_list(fields["label"])
    index = join_index(fields["index"] for _, fields in blocks)
    if not len(index) == len(predictions) == len(labels):
        raise ScoresError(
            f"found {len(index)} indices, {len(predictions)} predictions and {len(labels)} labels; "
            "expected as many of each"
        )
    return Tested(index, predictions, labels, blocks)


def _tested_fields(values: list[Any]) -> Fields:
    """Fields of JSON rows: all of them pairs, or all of them with scores."""
    width = WITH_SCORES if len(values[0]) == WITH_SCORES else WITH_SCORES - 1
    if any(len(value) != width for value in values):
        raise ValueError("a row is no [prediction, label], perhaps with scores behind it")
    fields = {"prediction": [value[0] for value in values], "label": [value[1] for value in values]}
    if width < WITH_SCORES:
        return fields
    return {**fields, **score_fields([value[2] for value in values])}


def _as_list(values: Any) -> list[Any]:
    found: list[Any] = values.tolist() if isinstance(values, np.ndarray) else values
    return found
