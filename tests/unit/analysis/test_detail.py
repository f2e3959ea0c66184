"""What a selection tells about itself, worked out by hand."""

import numpy as np
import pytest

from alectio_agent.analysis.keyed import Draw
from alectio_agent.analysis.strategies.detail import (
    Histogram,
    NearMiss,
    Ranked,
    histogram,
    near_misses,
)
from alectio_agent.analysis.strategies.mix import Batch, Rules, Share, choose
from alectio_agent.analysis.strategies.pool import Pool
from tests.support.analysis import chosen, pool_of, random_logits

MARGIN = [Share("margin")]
SCORES = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def rows_of(scores: list[float]) -> np.ndarray:
    """Probabilities of two classes whose margin score is as given: p1 - p2 = 1 - score."""
    return np.array([[1 - score / 2, score / 2] for score in scores])


def tiny(pool: Pool, span: float) -> Pool:
    """The pool with scores that lie within a span."""
    pool._scores["entropy"] = np.array([0.0, span / 2, span], np.float32)
    return pool


def choose_from(
    pool: Pool, n: int, shares: list[Share] = MARGIN, **rules: object
) -> tuple[Batch, Histogram]:
    batch = choose(pool, shares, n, Rules(0, 1, **rules))
    assert batch.ranked is not None
    return batch, histogram(batch.ranked)


def misses_of(batch: Batch) -> list[NearMiss]:
    assert batch.ranked is not None
    return near_misses(batch.ranked, np.array(chosen(batch)))


def test_scores_lie_in_forty_bins_of_one_width() -> None:
    pool = pool_of(rows_of([0.0, 0.01, 0.2625, 0.5125, 1.0]), kind="probabilities")
    _, found = choose_from(pool, 2)
    assert (found.strategy, found.measure) == ("margin", "margin")
    assert len(found.edges) == 41
    np.testing.assert_allclose(found.edges, np.arange(41) / 40, atol=1e-6)
    # 0 and 0.01 are below 0.025; 0.2625 is in bin 10, 0.5125 in bin 20; the highest in the last.
    assert {at: count for at, count in enumerate(found.counts) if count} == {
        0: 2,
        10: 1,
        20: 1,
        39: 1,
    }
    assert {at: count for at, count in enumerate(found.chosen) if count} == {20: 1, 39: 1}
    assert found.cut == pytest.approx(0.5125)


@pytest.mark.parametrize("span", [1e-45, 1e-44, 1e-38, 1e-37, 1e-30])
def test_scores_of_a_model_that_is_sure_of_everything_lie_in_bins_too(span: float) -> None:
    """40 / 1e-44 is more than single precision can hold: there was no selection then."""
    probabilities = np.array([[1.0, 0.0], [1.0, span / 2], [1.0, span]], np.float32)
    pool = pool_of(probabilities, kind="probabilities")
    found = histogram(Ranked("entropy", "entropy", tiny(pool, span), np.array([2]), Draw(0, 1)))
    assert (sum(found.counts), sum(found.chosen)) == (3, 1)
    assert (found.counts[0] >= 1, found.counts[-1] >= 1, found.chosen[-1]) == (True, True, 1)


def test_bins_agree_with_those_of_numpy() -> None:
    pool = pool_of(random_logits(20_000))
    _, found = choose_from(pool, 50)
    counts, edges = np.histogram(pool.scores("margin").astype(np.float64), 40)
    np.testing.assert_allclose(found.edges, edges)
    # A score next to an edge may count for either side: rounding decides.
    assert np.abs(np.cumsum(found.counts) - np.cumsum(counts)).max() <= 2
    assert sum(found.counts) == 20_000
    assert sum(found.chosen) == 50


def test_equal_scores_are_one_bin_that_begins_at_zero() -> None:
    _, found = choose_from(pool_of(np.zeros((9, 3))), 4)
    assert (found.edges, found.counts, found.chosen, found.cut) == ([0.0, 1.0], [9], [4], 1.0)


def test_a_pool_without_any_doubt_still_has_a_bin_with_a_width() -> None:
    certain = pool_of([[1.0, 0.0]] * 3, kind="probabilities")
    _, found = choose_from(certain, 1)
    assert (found.edges, found.counts, found.cut) == ([0.0, 1.0], [3], 0.0)


def test_the_margin_is_named_behind_diverse_margin_and_its_picks_alone_are_chosen() -> None:
    pool = pool_of(random_logits(500))
    batch, found = choose_from(pool, 20, [Share("random", 0.5), Share("diverse_margin", 0.5)])
    assert (found.strategy, found.measure) == ("diverse_margin", "margin")
    assert sum(found.counts) == 500
    assert sum(found.chosen) == 10
    scores = [choice.score for choice in batch.choices if choice.score is not None]
    assert found.cut == min(scores)


def test_what_the_first_part_makes_up_for_is_among_its_picks() -> None:
    pool = pool_of(random_logits(60))
    batch, found = choose_from(pool, 50, [Share("margin", 0.8), Share("random", 0.2)])
    assert sum(found.chosen) == sum(choice.reason == "margin" for choice in batch.choices)


def test_candidates_are_those_that_were_scored() -> None:
    pool = pool_of(random_logits(500))
    batch, found = choose_from(pool, 5, subsample=100)
    assert sum(found.counts) == 100
    assert batch.ranked is not None
    assert sum(batch.ranked.pool.predicted()) == 100


def test_chance_alone_ranks_nothing() -> None:
    assert choose(pool_of(random_logits(50)), [Share("random")], 5, Rules(0, 1)).ranked is None


def test_a_part_that_rounds_to_nothing_has_scores_and_no_cut() -> None:
    shares = [Share("random", 0.9), Share("margin", 0.1)]
    batch, found = choose_from(pool_of(random_logits(30)), 4, shares)
    assert (sum(found.counts), sum(found.chosen), found.cut) == (30, 0, None)
    assert len(misses_of(batch)) == 10


def test_an_empty_pool_ranks_nothing() -> None:
    assert choose(pool_of(np.empty((0, 3))), MARGIN, 4, Rules(0, 1)) == Batch((), 0)


def test_near_misses_are_the_best_that_were_not_chosen() -> None:
    pool = pool_of(rows_of(SCORES), index=[10, 11, 12, 13, 14, 15], kind="probabilities")
    batch, _ = choose_from(pool, 2)
    assert chosen(batch) == [14, 15]
    found = misses_of(batch)
    assert [missed.index for missed in found] == [13, 12, 11, 10]
    assert [missed.score for missed in found] == pytest.approx([0.6, 0.4, 0.2, 0.0])
    assert found[0].between == (0, 1)


def test_no_more_than_ten_just_miss_and_none_that_chance_chose() -> None:
    batch, _ = choose_from(
        pool_of(random_logits(80)), 40, [Share("margin", 0.5), Share("random", 0.5)]
    )
    found = misses_of(batch)
    assert len(found) == 10
    assert not {missed.index for missed in found} & set(chosen(batch))
    scores = [missed.score for missed in found]
    assert scores == sorted(scores, reverse=True)


def test_equal_scores_miss_in_the_order_in_which_they_would_have_been_chosen() -> None:
    pool = pool_of(np.zeros((9, 3)))
    batch, _ = choose_from(pool, 3, tie_break="index")
    assert [missed.index for missed in misses_of(batch)] == [3, 4, 5, 6, 7, 8]


def test_nothing_misses_when_everything_is_chosen() -> None:
    batch, _ = choose_from(pool_of(random_logits(7)), 7)
    assert misses_of(batch) == []
