"""One sample from each cluster, the same one every time."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from alectio_agent.analysis.strategies.clustering import spread


def ones(points: np.ndarray) -> np.ndarray:
    return np.ones(len(points))


def test_one_point_is_chosen_from_each_of_three_heaps() -> None:
    heaps = np.repeat([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], 5, axis=0)
    points = heaps + np.random.default_rng(0).standard_normal(heaps.shape) / 10
    chosen = spread(points, ones(points), 3, seed=1)
    assert sorted(at // 5 for at in chosen) == [0, 1, 2]


def test_the_point_nearest_to_the_centre_stands_for_its_heap() -> None:
    """The centre of 0, 1 and 5 is 2: the nearest point is 1."""
    points = np.array([[0.0], [1.0], [5.0]])
    assert spread(points, ones(points), 1, seed=0) == [1]


def test_weights_pull_the_centre() -> None:
    """With weights 1, 1 and 8 the centre is 4.1: the nearest point is 5."""
    points = np.array([[0.0], [1.0], [5.0]])
    assert spread(points, np.array([1.0, 1.0, 8.0]), 1, seed=0) == [2]


@pytest.mark.parametrize("weights", [np.zeros(6), np.full(6, 1e-300)])
def test_weights_of_nothing_still_choose(weights: np.ndarray) -> None:
    points = np.arange(6.0)[:, None]
    assert len(set(spread(points, weights, 3, seed=0))) == 3


def test_no_point_stands_for_two_centres() -> None:
    points = np.random.default_rng(0).random((40, 3))
    chosen = spread(points, ones(points), 40, seed=0)
    assert sorted(chosen) == list(range(40))


def test_fewer_different_points_than_asked_for_are_made_up_without_a_warning() -> None:
    points = np.array([[0.0], [0.0], [0.0], [1.0]])
    chosen = spread(points, ones(points), 3, seed=0)
    assert len(set(chosen)) == 3
    assert 3 in chosen


def test_points_that_differ_in_the_last_bit_give_no_warning() -> None:
    points = np.full((8, 2), 0.1)
    points[::2] = np.nextafter(0.1, 1)
    assert len(set(spread(points, ones(points), 2, seed=0))) == 2


def test_the_number_of_threads_makes_no_difference() -> None:
    points = np.random.default_rng(0).random((3000, 10))
    weights = np.random.default_rng(1).random(3000)
    with threadpool_limits(limits=1):
        alone = spread(points, weights, 60, seed=3)
    with threadpool_limits(limits=4):
        together = spread(points, weights, 60, seed=3)
    assert alone == together
