"""A batch is made of shares, without samples or equal rows twice."""

import numpy as np
import pytest

from alectio_agent.analysis.strategies.mix import Rules, Share, choose, round_shares
from alectio_agent.analysis.strategies.pool import Pool
from alectio_agent.core.errors import ScoresError, StrategyError
from tests.support.analysis import chosen, pool_of, random_logits, select

DEFAULT = [Share("diverse_margin", 0.9), Share("random", 0.1)]


def reasons(pool: Pool, shares: list[Share], n: int, **rules: object) -> dict[str, list[int]]:
    batch = choose(pool, shares, n, Rules(0, 1, **rules))
    found: dict[str, list[int]] = {}
    for choice in batch.choices:
        found.setdefault(choice.reason, []).append(choice.index)
    return found


@pytest.mark.parametrize(
    ("shares", "size", "expected"),
    [
        ([0.9, 0.1], 30, [27, 3]),
        ([0.9, 0.1], 10, [9, 1]),
        ([0.9, 0.1], 5, [5, 0]),  # 4.5 and 0.5: the earlier part gets the one that is left
        ([0.9, 0.1], 4, [4, 0]),  # 3.6 and 0.4
        ([0.5, 0.3, 0.2], 7, [4, 2, 1]),  # 3.5, 2.1, 1.4
        ([0.34, 0.33, 0.33], 2, [1, 1, 0]),  # 0.68, 0.66, 0.66
        ([1 / 3, 1 / 3, 1 / 3], 100, [34, 33, 33]),
        ([1.0], 9, [9]),
        ([0.5, 0.5], 0, [0, 0]),
    ],
)
def test_shares_are_rounded_by_largest_remainder(
    shares: list[float], size: int, expected: list[int]
) -> None:
    assert round_shares(shares, size) == expected


def test_each_part_gets_its_share() -> None:
    found = reasons(pool_of(random_logits(500)), DEFAULT, 30)
    assert {name: len(samples) for name, samples in found.items()} == {
        "diverse_margin": 27,
        "random": 3,
    }


def test_the_random_part_is_the_same_whatever_the_scores_say() -> None:
    """Its samples are a fair draw from the pool, also where the first part wants them too."""
    shares = [Share("margin", 0.5), Share("random", 0.5)]
    one = reasons(pool_of(random_logits(60, seed=1)), shares, 40)
    two = reasons(pool_of(random_logits(60, seed=2)), shares, 40)
    assert one["random"] == two["random"]
    assert one["margin"] != two["margin"]


def test_the_first_part_makes_up_for_what_two_parts_picked() -> None:
    pool = pool_of(random_logits(60))
    found = reasons(pool, [Share("margin", 0.5), Share("entropy", 0.5)], 20)
    top_margin, top_entropy = select(pool, "margin", 10), select(pool, "entropy", 10)
    assert set(top_margin) & set(top_entropy)
    assert set(found["entropy"]) == set(top_entropy) - set(top_margin)
    assert len(found["margin"]) == 20 - len(found["entropy"])
    others = set(range(60)) - set(found["entropy"])
    by_margin = [sample for sample in select_in_order(pool) if sample in others]
    assert set(found["margin"]) == set(by_margin[: len(found["margin"])])


def select_in_order(pool: Pool) -> list[int]:
    return np.argsort(-pool.scores("margin"), kind="stable").tolist()


def test_two_random_parts_draw_apart_and_do_not_meet() -> None:
    found = choose(Pool(np.arange(50)), [Share("random", 0.5)] * 2, 40, Rules(0, 1))
    assert len(set(chosen(found))) == 40


def test_scores_and_reasons_follow_the_indices() -> None:
    pool = pool_of(random_logits(100))
    batch = choose(pool, [Share("entropy", 0.8), Share("random", 0.2)], 10, Rules(0, 1))
    assert chosen(batch) == sorted(chosen(batch))
    for choice in batch.choices:
        if choice.reason == "random":
            assert choice.score is None
        else:
            assert choice.score == pytest.approx(float(pool.scores("entropy")[choice.index]))


def test_equal_rows_are_passed_over_and_counted() -> None:
    logits = random_logits(40)
    logits[10:20] = [9, 9, *[0] * 8]  # ten equal rows, the most uncertain by margin
    pool = pool_of(logits)
    batch = choose(pool, [Share("margin")], 5, Rules(0, 1))
    assert len({tuple(logits[sample]) for sample in chosen(batch)}) == 5
    assert batch.equal_rows == 9


def test_equal_rows_are_picked_when_dedup_is_off() -> None:
    logits = random_logits(40)
    logits[10:20] = [9, 9, *[0] * 8]
    found = select(pool_of(logits), "margin", 5, has_dedup=False)
    assert set(found) < set(range(10, 20))


def test_equal_rows_of_two_parts_are_not_both_picked() -> None:
    logits = np.repeat(random_logits(10), 4, axis=0)
    shares = [Share("margin", 0.5), Share("random", 0.5)]
    for loop in range(20):
        batch = choose(pool_of(logits), shares, 10, Rules(0, loop))
        assert len({sample // 4 for sample in chosen(batch)}) == 10


def test_zero_and_minus_zero_are_equal() -> None:
    batch = choose(
        pool_of([[0.0, 1.0], [-0.0, 1.0], [5.0, 0.0]]), [Share("margin")], 2, Rules(0, 0)
    )
    assert 2 in chosen(batch)


def test_rows_with_equal_scores_and_other_embeddings_are_no_equal_rows() -> None:
    embedding = (np.arange(8.0).reshape(4, 2),)
    pool = pool_of([[9.0, 9.0], [9.0, 9.0], [9.0, 0.0], [9.0, 1.0]], embedding=embedding)
    assert select(pool, "margin", 2) == [0, 1]


def test_a_subsample_is_scored_and_chance_still_draws_from_all() -> None:
    pool = pool_of(random_logits(1000))
    shares = [Share("margin", 0.5), Share("random", 0.5)]
    seen: set[int] = set()
    for batch in (20, 40, 60):
        found = reasons(pool, shares, batch, subsample=80)
        seen |= set(found["margin"])
        assert found["random"] == reasons(pool, shares, batch)["random"]
        assert len(found["margin"]) + len(found["random"]) == batch
    assert len(seen) <= 80


def test_a_subsample_smaller_than_the_batch_is_made_large_enough() -> None:
    assert len(select(pool_of(random_logits(50)), "margin", 30, subsample=5)) == 30


def test_the_subsample_is_drawn_anew_each_loop() -> None:
    pool = pool_of(random_logits(1000))
    one, two = (select(pool, "margin", 30, loop=loop, subsample=30) for loop in (1, 2))
    assert one != two


def test_very_large_batches_go_by_margin_alone() -> None:
    pool = pool_of(random_logits(4000, classes=3))
    assert select(pool, "diverse_margin", 2001) == select(pool, "margin", 2001)
    assert select(pool, "diverse_margin", 20) != select(pool, "margin", 20)


def test_diverse_margin_takes_one_of_each_heap_of_uncertain_samples() -> None:
    """Margin alone takes the five most uncertain, which all hesitate between 0 and 1."""
    uncertain = [[8, 8 - step / 100, 0, 0] for step in range(30)]
    other = [[0, 0, 8, 7.5 - step / 100] for step in range(30)]
    pool = pool_of(np.array(uncertain + other, np.float32))
    assert max(select(pool, "margin", 6)) < 30
    assert max(select(pool, "diverse_margin", 6)) >= 30


def test_diverse_margin_clusters_the_embedding_when_there_is_one() -> None:
    """All equally uncertain; three heaps by embedding."""
    logits = np.tile([[2.0, 2.0, 0.0]], (30, 1))
    embedding = np.repeat([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]], 10, axis=0)
    embedding += np.random.default_rng(0).random(embedding.shape)
    found = select(pool_of(logits, embedding=(embedding,)), "diverse_margin", 3)
    assert [sample // 10 for sample in found] == [0, 1, 2]


def test_an_embedding_that_is_not_finite_is_refused() -> None:
    embedding = (np.full((30, 2), np.nan),)
    with pytest.raises(ScoresError, match="embedding holds NaN"):
        select(pool_of(random_logits(30), embedding=embedding), "diverse_margin", 2)


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StrategyError, match=r"'badge' is unknown; expected one of random, least"):
        select(pool_of(random_logits(5)), "badge", 2)


def test_random_alone_is_the_same_before_and_after_there_are_scores() -> None:
    """So a control chooses as it would without a model, and starts with its experiment's batch."""
    unscored = select(Pool(np.arange(1437)), "random", 30, seed=4, loop=0)
    equal_rows = pool_of(np.zeros((1437, 10)))
    assert select(equal_rows, "random", 30, seed=4, loop=0) == unscored


@pytest.mark.parametrize(
    ("shares", "subsample", "expected"),
    [
        ([Share("margin")], None, [742, 1863, 2643, 3150, 3812, 3879, 4571, 4652]),
        ([Share("entropy")], None, [466, 953, 2107, 2279, 2666, 3058, 3696, 4505]),
        (
            [Share("diverse_margin", 0.75), Share("random", 0.25)],
            None,
            [742, 1197, 1541, 1758, 2279, 2968, 3324, 3879],
        ),
        (
            [Share("margin", 0.5), Share("random", 0.5)],
            900,
            [1541, 2273, 2279, 2643, 2646, 2968, 3024, 4652],
        ),
    ],
    ids=["margin", "entropy", "default", "subsample"],
)
def test_a_batch_stays_what_it_was_in_earlier_versions(
    shares: list[Share], subsample: int | None, expected: list[int]
) -> None:
    """An experiment that goes on after an update must not choose otherwise."""
    batch = choose(pool_of(random_logits(5000)), shares, 8, Rules(3, 2, subsample=subsample))
    assert chosen(batch) == expected
