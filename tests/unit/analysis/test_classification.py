"""Metrics, worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from alectio_agent.analysis.metrics.classification import classification_metrics, to_columns
from alectio_agent.core.errors import ScoresError

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTIONS = np.array([0, 0, 1, 1, 1, 0])


def test_metrics_are_those_reckoned_by_hand() -> None:
    """Class 0: 2 of 3 said, 2 of 3 found. Class 1: 2 of 3, 2 of 2. Class 2: never said."""
    found = classification_metrics(PREDICTIONS, LABELS, 4)
    assert found.metrics == pytest.approx(
        {
            "accuracy": 4 / 6,
            "macro_precision": (2 / 3 + 2 / 3 + 0) / 3,
            "macro_recall": (2 / 3 + 1 + 0) / 3,
            "macro_f1": (2 / 3 + 0.8 + 0) / 3,
        }
    )
    assert found.per_class["precision"] == pytest.approx([2 / 3, 2 / 3, 0, 0])
    assert found.per_class["recall"] == pytest.approx([2 / 3, 1, 0, 0])
    assert found.per_class["f1"] == pytest.approx([2 / 3, 0.8, 0, 0])
    assert found.per_class["support"] == [3, 2, 1, 0]
    assert found.confusion == [[2, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_they_agree_with_scikit_learn_on_the_same_lists() -> None:
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 7, 500), rng.integers(0, 7, 500)
    found = classification_metrics(predictions, labels, 9).metrics
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predictions))
    assert found["macro_f1"] == pytest.approx(f1_score(labels, predictions, average="macro"))


def test_each_class_has_the_very_numbers_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    labels, predictions = rng.integers(0, 7, 500), rng.integers(2, 9, 500)
    expected = precision_recall_fscore_support(
        labels, predictions, labels=np.arange(10), average=None, zero_division=0
    )
    found = classification_metrics(predictions, labels, 10).per_class
    assert [found[name] for name in ("precision", "recall", "f1", "support")] == [
        values.tolist() for values in expected
    ]


def test_a_class_that_nobody_saw_or_said_does_not_lower_the_mean() -> None:
    assert classification_metrics(LABELS, LABELS, 100).metrics["macro_f1"] == 1.0


def test_all_values_are_plain_json() -> None:
    found = classification_metrics(PREDICTIONS, LABELS, 3)
    assert all(type(value) is float for value in found.metrics.values())
    assert all(type(count) is int for row in found.confusion for count in row)


def test_no_rows_are_refused() -> None:
    with pytest.raises(ScoresError, match="returned no rows"):
        classification_metrics(np.empty(0, np.int64), np.empty(0, np.int64), 3)


def columns(*values: object, names: tuple[str, ...] = ()) -> list[int]:
    index = np.arange(len(values)) + 10
    return to_columns(list(values), index, "labels", len(names) or 3, names).tolist()


def test_names_numbers_whole_floats_and_bools_are_classes() -> None:
    assert columns("dog", "cat", 1, names=("cat", "dog")) == [1, 0, 1]
    assert columns(0, 2.0, True) == [0, 2, 1]


@pytest.mark.parametrize("wrong", [3, -1, 1.5, None, "cat", [1], 10**30, float("nan")])
def test_anything_else_is_refused_with_place_and_value(wrong: object) -> None:
    with pytest.raises(ScoresError, match=r"1 of 2 labels are no class: found .*index 11\)"):
        columns(0, wrong)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ScoresError, match=r"found 'cow' .*; expected one of cat, dog"):
        columns("cow", names=("cat", "dog"))
