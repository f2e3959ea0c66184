"""Reliability diagrams and calibration errors, by hand and beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from alectio_agent.analysis.metrics.calibration import Bin, Calibration, calibrate
from alectio_agent.analysis.outputs import Kind, Outputs
from alectio_agent.core.errors import ScoresError
from tests.support.analysis import random_logits


def calibrate_rows(rows: object, labels: object, kind: Kind = "probabilities") -> Calibration:
    matrix = np.asarray(rows, dtype=np.float32)
    return calibrate(Outputs((matrix,), kind), np.arange(len(matrix)), np.asarray(labels))


def told_bins(found: Calibration) -> dict[float, tuple[int, float | None, float | None]]:
    """The bins that hold samples, by their upper edge."""
    return {
        round(each.high, 1): (each.count, each.confidence, each.accuracy)
        for each in found.bins
        if each.count
    }


def test_a_worked_example() -> None:
    found = calibrate_rows(
        [[0.95, 0.05], [0.85, 0.15], [0.15, 0.85], [0.45, 0.55]],
        [0, 1, 1, 0],  # right, wrong, right, wrong
    )
    assert told_bins(found) == {
        1.0: (1, pytest.approx(0.95), 1.0),
        0.9: (2, pytest.approx(0.85), 0.5),
        0.6: (1, pytest.approx(0.55), 0.0),
    }
    # (1 x 0.05 + 2 x 0.35 + 1 x 0.55) / 4
    assert found.ece == pytest.approx(0.325)


def test_ten_bins_of_one_width_and_nothing_is_said_of_empty_ones() -> None:
    found = calibrate_rows([[1.0, 0.0]], [0])
    assert [(round(each.low, 1), round(each.high, 1)) for each in found.bins] == [
        (place / 10, (place + 1) / 10) for place in range(10)
    ]
    assert found.bins[0] == Bin(0.0, 0.1, 0, None, None)
    assert (found.bins[9].count, found.bins[9].accuracy, found.ece) == (1, 1.0, 0.0)


def test_bins_and_error_are_those_of_scikit_learn() -> None:
    logits = random_logits(5000, 4)
    labels = np.random.default_rng(1).integers(0, 4, 5000)
    found = calibrate_rows(logits, labels, "logits")
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    confidence, is_right = shares.max(axis=1), shares.argmax(axis=1) == labels
    accuracy, mean = calibration_curve(is_right, confidence, n_bins=10)
    told = [each for each in found.bins if each.count]
    np.testing.assert_allclose([each.accuracy for each in told], accuracy, atol=1e-6)
    np.testing.assert_allclose([each.confidence for each in told], mean, atol=1e-6)
    counts = np.array([each.count for each in told])
    assert counts.sum() == 5000
    assert found.ece == pytest.approx(np.abs(accuracy - mean) @ counts / 5000, abs=1e-6)


def test_logits_become_probabilities() -> None:
    """A softmax of 0 and the logarithm of 3 is 1/4 and 3/4."""
    found = calibrate_rows([[0.0, np.log(3)]], [1], "logits")
    assert told_bins(found) == {0.8: (1, pytest.approx(0.75), 1.0)}
    assert found.ece == pytest.approx(0.25)


def test_one_column_stands_for_two_classes() -> None:
    by_logit = calibrate_rows([[np.log(3)], [-np.log(3)]], [1, 0], "logits")
    by_share = calibrate_rows([[0.75], [0.25]], [1, 0])
    for found in (by_logit, by_share):
        assert told_bins(found) == {0.8: (2, pytest.approx(0.75), 1.0)}


def test_of_sigmoids_the_largest_is_the_confidence() -> None:
    found = calibrate_rows([[0.9, 0.65]], [0], "sigmoid")
    assert found.ece == pytest.approx(0.1)


def test_a_test_set_of_one_class_is_calibrated_all_the_same() -> None:
    found = calibrate_rows([[0.75, 0.25]] * 8, [0] * 8)
    assert told_bins(found) == {0.8: (8, 0.75, 1.0)}


def test_an_edge_belongs_to_the_bin_below() -> None:
    assert list(told_bins(calibrate_rows([[0.5, 0.5]], [0]))) == [0.5]


def test_certainty_in_single_precision_is_no_more_than_one() -> None:
    found = calibrate_rows([[80.0, 0.0, 0.0]] * 3, [0] * 3, "logits")
    assert (found.bins[9].confidence, found.ece) == (1.0, 0.0)


def test_rows_of_many_blocks_are_one_test_set() -> None:
    rows = random_logits(400, 3)
    labels = np.random.default_rng(2).integers(0, 3, 400)
    blocks = Outputs((rows[:150], rows[150:]))
    assert calibrate(blocks, np.arange(400), labels) == calibrate_rows(rows, labels, "logits")


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        ([np.nan, 0.0], "logits", "hold NaN or infinities: index 1"),
        ([2.0, 1.0], "probabilities", "are no probabilities"),
    ],
)
def test_rows_that_break_their_promise_are_refused(row: list[float], kind: Kind, said: str) -> None:
    with pytest.raises(ScoresError, match=said):
        calibrate_rows([[0.5, 0.5], row], [0, 0], kind)
