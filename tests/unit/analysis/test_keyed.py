"""Chance depends on key and sample, never on the order of the rows."""

import numpy as np
import pytest

from alectio_agent.analysis.keyed import Draw, mix64

INDEX = np.arange(10_000)


def test_a_samples_number_is_its_own_wherever_it_stands() -> None:
    shuffled = np.random.default_rng(0).permutation(INDEX)
    np.testing.assert_array_equal(Draw(3, 4).picks(INDEX)[shuffled], Draw(3, 4).picks(shuffled))


@pytest.mark.parametrize("other", [Draw(1, 0), Draw(0, 1), Draw(0, 0, part=1)])
def test_seed_loop_and_part_each_change_the_numbers(other: Draw) -> None:
    one = Draw(0, 0)
    assert not np.any(one.picks(INDEX) == other.picks(INDEX))
    assert not np.any(one.ties(INDEX) == other.ties(INDEX))
    assert one.cluster_seed() != other.cluster_seed()


def test_ties_and_picks_are_drawn_apart() -> None:
    assert not np.any(Draw(0, 0).ties(INDEX) == Draw(0, 0).picks(INDEX))


def test_all_parts_share_one_subsample() -> None:
    np.testing.assert_array_equal(
        Draw(5, 6, part=0).subsample(INDEX), Draw(5, 6, part=3).subsample(INDEX)
    )


def test_different_samples_have_different_numbers() -> None:
    assert len(np.unique(Draw(0, 0).picks(INDEX))) == len(INDEX)
    assert len(np.unique(mix64(INDEX.astype(np.uint64)))) == len(INDEX)


def test_ties_by_index_are_the_index() -> None:
    np.testing.assert_array_equal(Draw(0, 0, tie_break="index").ties(INDEX), INDEX)


def test_numbers_do_not_change_between_versions() -> None:
    """A restart with a newer version must choose the same batch."""
    assert Draw(7, 3).picks(np.arange(3)).tolist() == [
        17295925186363989886,
        951879629408165223,
        7896225134755882822,
    ]


def test_every_sample_is_drawn_about_as_often() -> None:
    """200 draws of 10 of 100: each sample 20 times; 4 standard deviations are 17."""
    counts = np.zeros(100, int)
    for loop in range(200):
        counts[np.argsort(Draw(0, loop).picks(np.arange(100)))[:10]] += 1
    assert counts.min() > 3
    assert counts.max() < 37
    assert counts.sum() == 2000


def test_cluster_seeds_suit_scikit_learn() -> None:
    assert all(0 <= Draw(0, loop).cluster_seed() < 2**32 for loop in range(50))
