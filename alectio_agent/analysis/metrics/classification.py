"""Metrics of a classifier on its test set, from scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.outputs import name_some
from alectio_agent.core.errors import ScoresError


@dataclass(frozen=True)
class ClassificationMetrics:
    """How well a classifier did.

    Attributes:
        metrics: `accuracy`, `macro_f1`, `macro_precision`, `macro_recall`. Macro: the plain mean
            over the classes that occur among the labels or the predictions, as scikit-learn takes
            it. A class that nobody has seen or said counts neither for nor against.
        per_class: `precision`, `recall`, `f1`, `support` for every declared class in column order;
            0 where there is nothing to divide by.
        confusion: Rows are labels, columns are predictions, in column order of all classes.
    """

    metrics: dict[str, float]
    per_class: dict[str, list[float]]
    confusion: list[list[int]]


def classification_metrics(
    predictions: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> ClassificationMetrics:
    """Compare predictions with labels.

    Args:
        predictions: Column numbers, 0 to classes - 1, shape (n,), n >= 1.
        labels: Column numbers, 0 to classes - 1, shape (n,).
        classes: Number of declared classes.

    Returns:
        The metrics.

    Raises:
        ScoresError: There are no rows.
    """
    if not len(labels):
        raise ScoresError("`test` returned no rows; expected at least one prediction and label")
    # Counted here, and divided bit for bit as scikit-learn does: to load it takes a second, which
    # a hub without clustering saves.
    cells = np.asarray(labels) * classes + predictions
    confusion = np.bincount(cells, minlength=classes**2).reshape(classes, classes)
    right, said, support = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    precision, recall = _divide(right, said), _divide(right, support)
    f1 = _divide(2 * right, support + said)
    occurs = np.union1d(labels, predictions)
    return ClassificationMetrics(
        metrics={
            "accuracy": float(np.trace(confusion) / len(labels)),
            "macro_f1": float(f1[occurs].mean()),
            "macro_precision": float(precision[occurs].mean()),
            "macro_recall": float(recall[occurs].mean()),
        },
        per_class={
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "f1": f1.tolist(),
            "support": support.tolist(),
        },
        confusion=confusion.tolist(),
    )


def _divide(counts: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shares; 0 where there is nothing to divide by."""
    return np.divide(counts, of, out=np.zeros(len(of)), where=of != 0)


def to_columns(
    values: Sequence[Any], index: NDArray[np.int64], what: str, classes: int, names: Sequence[str]
) -> NDArray[np.int64]:
    """Turn predictions or labels into column numbers.

    Args:
        values: Column numbers (also as whole floats or bools) or class names.
        index: The rows' sample indices, for messages.
        what: `predictions` or `labels`, for messages.
        classes: Number of declared classes.
        names: Class names in column order; empty when only the count is declared.

    Returns:
        Column numbers, shape (n,).

    Raises:
        ScoresError: A value that is no class.
    """
    numbers = {name: number for number, name in enumerate(names)}
    columns = np.array([_column(value, numbers) for value in values], np.int64)
    unknown = np.flatnonzero((columns < 0) | (columns >= classes))
    if len(unknown):
        expected = f"one of {', '.join(names)}" if names else f"a whole number below {classes}"
        raise ScoresError(
            f"{len(unknown):,} of {len(values):,} {what} are no class: found "
            f"{values[unknown[0]]!r} (index {name_some(index[unknown])}); expected {expected}"
        )
    return columns


def _column(value: Any, numbers: dict[str, int]) -> int:
    """The column of one value; -1 when it is no class."""
    if isinstance(value, str):
        return numbers.get(value, -1)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value) if abs(value) < 2**62 else -1
    return -1
