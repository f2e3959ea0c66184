"""Which classes rows are taken for."""

import numpy as np
import pytest

from alectio_agent.analysis.strategies.likeliest import Tally, two_likeliest
from alectio_agent.analysis.strategies.pool import Pool
from tests.support.analysis import pool_of, random_logits


def predicted(pool: Pool) -> list[int]:
    pool.scores("margin")
    return pool.predicted()


def between(pool: Pool) -> list[tuple[int, int] | None]:
    return pool.between(np.arange(len(pool)))


def test_each_row_counts_for_its_likeliest_class() -> None:
    assert predicted(pool_of([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0], [9.0, 0.0, 0.0]])) == [2, 1, 0]


def test_the_first_of_equal_classes_counts() -> None:
    assert predicted(pool_of([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0], [5.0, 5.0, 5.0]])) == [2, 1, 0]


def test_one_column_counts_for_two_classes() -> None:
    """Above zero means the second class."""
    assert predicted(pool_of([[-2.0], [3.0], [0.5], [0.0]])) == [2, 2]
    assert predicted(pool_of([[0.2], [0.9]], kind="probabilities")) == [1, 1]


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_counts_of_many_chunks_are_those_of_an_argmax(classes: int) -> None:
    logits = random_logits(20_000, classes)
    expected = np.bincount(logits.argmax(axis=1), minlength=classes)
    assert predicted(pool_of(logits)) == expected.tolist()


def test_rows_are_counted_once_however_many_scores_are_asked_for() -> None:
    pool = pool_of(random_logits(50))
    pool.scores("entropy")
    assert sum(predicted(pool)) == 50


def test_nothing_is_counted_before_a_score_is_asked_for() -> None:
    assert pool_of(random_logits(5)).predicted() == []
    assert Tally().counts.tolist() == []


def test_a_row_lies_between_its_two_likeliest_classes() -> None:
    assert between(pool_of([[3.0, 1.0, 2.0], [0.0, 5.0, 6.0]])) == [(0, 2), (2, 1)]


def test_the_earlier_of_equal_classes_comes_first() -> None:
    rows = np.array([[1, 1, 1], [0, 2, 2], [2, 0, 0]], np.float32)
    assert two_likeliest(rows).tolist() == [[0, 1], [1, 2], [0, 1]]


def test_one_column_lies_between_two_classes() -> None:
    assert between(pool_of([[-2.0], [3.0]])) == [(0, 1), (1, 0)]
    assert between(pool_of([[0.2], [0.9]], kind="probabilities")) == [(0, 1), (1, 0)]


def test_without_scores_nothing_lies_between_classes() -> None:
    assert between(Pool(np.arange(2))) == [None, None]
    assert pool_of(random_logits(5)).between(np.empty(0, np.int64)) == []
