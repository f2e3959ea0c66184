"""Worked examples: logits are logarithms of probabilities that are easy to reckon with."""

import math

import numpy as np
import pytest

from alectio_agent.analysis.strategies import uncertainty
from alectio_agent.core.errors import ScoresError

MEASURES = sorted(uncertainty.MEASURES)


def logits(*probabilities: float) -> np.ndarray:
    return np.log(np.array([probabilities], np.float32))


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("least_confidence", 0.5),  # 1 - 0.5
        ("margin", 0.75),  # 1 - (0.5 - 0.25)
        ("ratio", 0.5),  # 0.25 / 0.5
        ("entropy", 1.0397208),  # 0.5 ln 2 + 0.25 ln 4 + 0.25 ln 4 = 1.5 ln 2
    ],
)
def test_a_half_and_two_quarters_score_as_by_hand(measure: str, expected: float) -> None:
    found = uncertainty.MEASURES[measure](logits(0.25, 0.5, 0.25))
    assert found == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("least_confidence", 0.2),  # 1 - 0.8
        ("margin", 0.4),  # 1 - (0.8 - 0.2)
        ("ratio", 0.25),
        ("entropy", 0.5004024),  # -0.8 ln 0.8 - 0.2 ln 0.2
    ],
)
def test_two_classes_score_as_by_hand(measure: str, expected: float) -> None:
    found = uncertainty.MEASURES[measure](logits(0.8, 0.2))
    assert found == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 5, 8, 63, 64, 65, 1000])
def test_equal_logits_are_as_uncertain_as_can_be(classes: int) -> None:
    flat = np.full((3, classes), 7.5, np.float32)
    expected = {
        "least_confidence": 1 - 1 / classes,
        "margin": 1.0,
        "ratio": 1.0,
        "entropy": math.log(classes),
    }
    for measure, score in expected.items():
        assert uncertainty.MEASURES[measure](flat) == pytest.approx([score] * 3, rel=1e-5)


@pytest.mark.parametrize("classes", [2, 3, 7, 10, 63, 64, 200])
@pytest.mark.parametrize("measure", MEASURES)
def test_every_width_agrees_with_the_plain_formula(measure: str, classes: int) -> None:
    z = np.random.default_rng(classes).standard_normal((50, classes)).astype(np.float32)
    p = np.exp(z.astype(np.float64))
    p /= p.sum(axis=1, keepdims=True)
    top = np.sort(p, axis=1)[:, ::-1]
    expected = {
        "least_confidence": 1 - top[:, 0],
        "margin": 1 - (top[:, 0] - top[:, 1]),
        "ratio": top[:, 1] / top[:, 0],
        "entropy": -(p * np.log(p)).sum(axis=1),
    }[measure]
    assert uncertainty.MEASURES[measure](z) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("measure", MEASURES)
def test_huge_logits_neither_overflow_nor_give_nan(measure: str) -> None:
    """Logits of standard deviation 40 in float32 make p log p NaN."""
    z = np.random.default_rng(0).standard_normal((200, 1000)).astype(np.float32) * 40
    extreme = np.array([[3e38, -3e38, 0], [-3e38, -3e38, -3e38]], np.float32)
    with np.errstate(over="ignore"):
        for rows in (z, extreme):
            assert np.isfinite(uncertainty.MEASURES[measure](rows)).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_confident_rows_do_not_tie(measure: str) -> None:
    """With the largest class in the sum, 1 + e^-30 and 1 + e^-40 are both 1 in float32."""
    z = np.array([[30, 0, -5], [40, 0, -5], [50, 0, -5]], np.float32)
    scores = uncertainty.MEASURES[measure](z)
    assert scores[0] > scores[1] > scores[2] > 0


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("classes", [3, 10, 100])
def test_a_row_has_the_same_score_alone_and_among_others(measure: str, classes: int) -> None:
    z = np.random.default_rng(1).standard_normal((33, classes)).astype(np.float32)
    measured = uncertainty.MEASURES[measure]
    together = measured(np.asarray(z, order="F" if classes < 64 else "C"))
    alone = np.concatenate([measured(z[[row]]) for row in range(len(z))])
    np.testing.assert_array_equal(together, alone)


def test_arguments_are_left_as_they_were() -> None:
    z = np.random.default_rng(2).standard_normal((5, 4)).astype(np.float32)
    before = z.copy()
    for measure in uncertainty.MEASURES.values():
        measure(z)
    np.testing.assert_array_equal(z, before)


def test_the_order_is_the_same_for_all_measures_with_two_classes() -> None:
    z = np.random.default_rng(3).standard_normal((100, 2)).astype(np.float32)
    orders = {tuple(np.argsort(measure(z))) for measure in uncertainty.MEASURES.values()}
    assert len(orders) == 1


def test_one_column_is_refused() -> None:
    with pytest.raises(ScoresError, match="one class; expected at least two"):
        uncertainty.margin(np.zeros((2, 1), np.float32))


def test_probabilities_are_the_softmax() -> None:
    found = uncertainty.probabilities(logits(0.25, 0.5, 0.25) + 100)
    assert found[0] == pytest.approx([0.25, 0.5, 0.25], rel=1e-5)
