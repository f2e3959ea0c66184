"""The best come first, and nothing is left out or named twice."""

import numpy as np
import pytest

from alectio_agent.analysis.keyed import Draw
from alectio_agent.analysis.strategies.ranking import best, best_first, smallest

BY_INDEX = Draw(0, 0, tie_break="index")


def test_the_highest_scores_come_in_falling_order() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.7], np.float32)
    assert best(scores, np.arange(4), BY_INDEX, 3).tolist() == [1, 3, 2]


def test_equal_scores_go_by_index_when_asked_to() -> None:
    scores = np.array([0.5, 0.9, 0.5, 0.5], np.float32)
    index = np.array([8, 1, 3, 5])
    assert best(scores, index, BY_INDEX, 3).tolist() == [1, 2, 3]


def test_seeded_ties_choose_other_samples_with_another_seed() -> None:
    scores = np.full(1000, 0.5, np.float32)
    one, two = (best(scores, np.arange(1000), Draw(seed, 0), 20).tolist() for seed in (0, 1))
    assert one != two
    assert one != list(range(20))


@pytest.mark.parametrize("first", [1, 3, 50, 1000])
def test_blocks_join_to_the_full_order(first: int) -> None:
    scores = np.random.default_rng(0).integers(0, 9, 200).astype(np.float32)
    index = np.random.default_rng(1).permutation(200)
    blocks = list(best_first(scores, index, Draw(0, 0), first))
    joined = np.concatenate(blocks)
    ties = Draw(0, 0).ties(index)
    np.testing.assert_array_equal(joined, np.lexsort((ties, -scores)))


def every_third_is_high() -> np.ndarray:
    """The samples that are looked at first say too much of the others."""
    scores = np.arange(50_000, dtype=np.float32) / 1e6
    scores[::3] += 1
    return scores


@pytest.mark.parametrize("limit", [1, 40, 4000, 30_000])
@pytest.mark.parametrize(
    "scores",
    [
        np.random.default_rng(2).random(50_000, np.float32),
        np.random.default_rng(3).integers(0, 9, 50_000).astype(np.float32),
        np.arange(50_000, dtype=np.float32),
        np.zeros(50_000, np.float32),
        every_third_is_high(),
    ],
    ids=["any", "many equal", "rising", "all equal", "every third high"],
)
def test_the_best_of_many_are_those_of_the_full_order(scores: np.ndarray, limit: int) -> None:
    """Of many scores only those that may be among the best are parted."""
    index = np.random.default_rng(1).permutation(len(scores))
    full = np.lexsort((Draw(0, 0).ties(index), -scores))
    np.testing.assert_array_equal(best(scores, index, Draw(0, 0), limit), full[:limit])


def test_nothing_has_no_first() -> None:
    assert list(best_first(np.empty(0, np.float32), np.empty(0, np.int64), BY_INDEX, 5)) == []


@pytest.mark.parametrize("limit", [0, 1, 3, 4, 9])
def test_the_smallest_ranks_are_found(limit: int) -> None:
    ranks = np.array([7, 1, 9, 3], np.uint64)
    found = smallest(ranks, np.array([10, 11, 12, 13]), limit)
    assert sorted(found) == sorted([11, 13, 10, 12][:limit])
