"""Every kind of output becomes logits, or is refused by name."""

import numpy as np
import pytest

from alectio_agent.analysis.outputs import Outputs
from alectio_agent.analysis.strategies.logits import score_rows, to_logits
from alectio_agent.analysis.strategies.uncertainty import entropy, margin, probabilities
from alectio_agent.core.errors import ScoresError


def scored(rows: object, kind: str = "logits") -> list[float]:
    matrix = np.asarray(rows)
    return score_rows(Outputs((matrix,), kind=kind), np.arange(len(matrix)), margin).tolist()


def test_one_column_of_logits_is_the_pair_of_zero_and_itself() -> None:
    np.testing.assert_array_equal(
        to_logits(np.array([[1.5], [-2.0]], np.float32), "logits"),
        np.array([[0, 1.5], [0, -2]], np.float32),
    )


def test_one_column_of_probabilities_is_that_of_the_second_class() -> None:
    found = probabilities(to_logits(np.array([[0.9], [0.25]]), "probabilities"))
    assert found == pytest.approx(np.array([[0.1, 0.9], [0.75, 0.25]]), rel=1e-5)


def test_probabilities_come_out_as_they_went_in() -> None:
    rows = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    found = probabilities(to_logits(rows, "probabilities"))
    assert found == pytest.approx(rows, rel=1e-5, abs=1e-30)


def test_a_zero_probability_does_not_make_the_entropy_nan() -> None:
    found = score_rows(
        Outputs((np.array([[0.5, 0.5, 0.0]]),), kind="probabilities"), np.arange(1), entropy
    )
    assert found == pytest.approx([np.log(2)], rel=1e-5)


def test_sigmoid_values_count_as_log_odds() -> None:
    """Of 0.5 and 0.9 the odds are 1 and 9: a softmax of the log-odds shares 1 to 9."""
    found = probabilities(to_logits(np.array([[0.5, 0.9]]), "sigmoid"))
    assert found == pytest.approx(np.array([[0.1, 0.9]]), rel=1e-5)


def test_a_sigmoid_of_one_is_finite() -> None:
    assert np.isfinite(to_logits(np.array([[1.0, 0.0]], np.float32), "sigmoid")).all()


def test_float64_beyond_float32_is_scored_by_its_differences() -> None:
    assert scored(np.array([[1e300, 1e300, 0.0]])) == pytest.approx([1.0])


def test_whole_numbers_are_logits_too() -> None:
    assert scored(np.array([[3, 3], [9, 1]]))[0] == 1.0


def test_float32_rows_that_are_laid_out_well_are_not_copied() -> None:
    rows = np.zeros((4, 100), np.float32)
    assert np.shares_memory(to_logits(rows, "logits"), rows)


def test_chunks_and_blocks_make_no_difference() -> None:
    matrix = np.random.default_rng(0).standard_normal((20_000, 7)).astype(np.float32)
    whole = score_rows(Outputs((matrix,)), np.arange(20_000), margin)
    blocks = score_rows(Outputs((matrix[:1], matrix[1:19_999], matrix[19_999:])), whole, margin)
    np.testing.assert_array_equal(whole, blocks)
    np.testing.assert_array_equal(whole, margin(matrix))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted_and_named(bad: float) -> None:
    rows = np.zeros((30_000, 4), np.float32)
    rows[[5, 29_000], 2] = bad
    index = np.arange(30_000) + 100
    with pytest.raises(ScoresError, match=r"2 of 30,000 rows hold NaN or inf.*index 105, 29100$"):
        score_rows(Outputs((rows,)), index, margin)


def test_a_long_list_of_bad_rows_is_cut() -> None:
    with pytest.raises(ScoresError, match=r"8 of 8 rows .*: index 0, 1, 2, 3, 4, \.\.\.$"):
        scored(np.full((8, 2), np.nan))


def test_finite_rows_whose_sum_overflows_are_accepted() -> None:
    assert scored(np.full((4, 4), 3e38, np.float32)) == pytest.approx([1.0] * 4)


@pytest.mark.parametrize("row", [[1.2, -0.2], [0.9, 0.9], [3.0, -1.0]])
def test_logits_that_were_declared_probabilities_are_refused(row: list[float]) -> None:
    with pytest.raises(ScoresError, match=r"1 of 2 rows are no probabilities.*output: logits"):
        scored([[0.5, 0.5], row], "probabilities")


def test_sigmoid_values_outside_zero_and_one_are_refused() -> None:
    with pytest.raises(ScoresError, match="1 of 1 rows are no sigmoid values"):
        scored([[0.5, 1.5]], "sigmoid")
