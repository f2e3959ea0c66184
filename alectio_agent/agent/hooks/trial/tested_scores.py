"""Whether the scores that `test` returned fit its predictions."""

from collections.abc import Sequence
from typing import Any

from alectio_agent.agent.hooks.trial.rows import Rows

WITH_SCORES = 3
"""Entries of a row of `test` that has scores: prediction, label, scores."""


def scores_of(rows: Rows) -> Rows:
    """The scores alone.

    Args:
        rows: Of `test`.

    Returns:
        Scores by sample; empty when the hook returned no `outputs`.
    """
    return {sample: row[2] for sample, row in rows.items() if len(row) == WITH_SCORES}


def unlikely_predictions(rows: Rows, classes: Sequence[str] | None) -> list[int]:
    """Samples whose prediction is not the class with the highest score.

    Args:
        rows: Of `test`, for classification.
        classes: Names, when the experiment has them.

    Returns:
        In the order of the rows; none of a row with one score, whose threshold is not known.
    """
    numbers = {name: number for number, name in enumerate(classes or ())}
    found = []
    for sample, scores in scores_of(rows).items():
        likely = next(iter(scores.values())) if isinstance(scores, dict) else scores
        if len(likely) > 1 and likely[_column(rows[sample][0], numbers)] < max(likely):
            found.append(sample)
    return found


def _column(prediction: Any, numbers: dict[str, int]) -> int:
    return numbers[prediction] if isinstance(prediction, str) else int(prediction)
