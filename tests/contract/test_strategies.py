"""What every strategy promises, checked on each of them."""

import numpy as np
import pytest

from alectio_agent.analysis.files import NDJSON, NPZ
from alectio_agent.analysis.strategies.mix import Rules, Share, choose
from alectio_agent.analysis.strategies.registry import STRATEGIES
from alectio_agent.core.errors import ScoresError
from alectio_agent.wire.protocol import NDJSON_MEDIA_TYPE, NPZ_MEDIA_TYPE
from alectio_agent.wire.selection import SCORE_FREE_STRATEGIES, STRATEGY_NAMES
from tests.support.analysis import chosen, pool_of, random_logits, select

MIX = "mix"
SCORED = sorted(name for name, strategy in STRATEGIES.items() if strategy.measure)
ALL = [*sorted(STRATEGIES), MIX]


def pick(name: str, pool: object, n: int, loop: int = 1, **rules: object) -> list[int]:
    if name != MIX:
        return select(pool, name, n, loop=loop, **rules)
    shares = [Share("diverse_margin", 0.6), Share("entropy", 0.2), Share("random", 0.2)]
    return chosen(choose(pool, shares, n, Rules(0, loop, **rules)))


def test_the_names_are_those_of_the_configuration() -> None:
    assert tuple(STRATEGIES) == STRATEGY_NAMES
    score_free = tuple(name for name, strategy in STRATEGIES.items() if not strategy.measure)
    assert score_free == SCORE_FREE_STRATEGIES


def test_the_media_types_are_those_of_the_wire() -> None:
    assert (NPZ, NDJSON) == (NPZ_MEDIA_TYPE, NDJSON_MEDIA_TYPE)


@pytest.mark.parametrize("tie_break", ["seeded", "index"])
@pytest.mark.parametrize("name", ALL)
class TestEveryStrategy:
    def test_a_batch_has_the_size_that_was_asked_for(self, name: str, tie_break: str) -> None:
        for n in (1, 2, 7, 30):
            found = pick(name, pool_of(random_logits(200)), n, tie_break=tie_break)
            assert len(set(found)) == n

    def test_the_order_of_the_rows_makes_no_difference(self, name: str, tie_break: str) -> None:
        logits, index = random_logits(300), np.arange(300) * 3
        order = np.random.default_rng(5).permutation(300)
        straight = pick(name, pool_of(logits, index), 20, tie_break=tie_break)
        shuffled = pick(name, pool_of(logits[order], index[order]), 20, tie_break=tie_break)
        assert straight == shuffled

    def test_the_order_of_tied_rows_makes_no_difference(self, name: str, tie_break: str) -> None:
        logits = np.repeat(random_logits(20), 15, axis=0)
        order = np.random.default_rng(5).permutation(300)
        straight = pick(name, pool_of(logits), 40, tie_break=tie_break)
        assert pick(name, pool_of(logits[order], order), 40, tie_break=tie_break) == straight

    def test_a_constant_added_to_a_row_makes_no_difference(self, name: str, tie_break: str) -> None:
        logits = random_logits(200)
        shifts = np.random.default_rng(1).integers(-50, 50, (200, 1)).astype(np.float32)
        plain = pick(name, pool_of(logits), 20, tie_break=tie_break)
        assert pick(name, pool_of(logits + shifts), 20, tie_break=tie_break) == plain

    def test_float32_and_float64_choose_the_same(self, name: str, tie_break: str) -> None:
        logits = random_logits(200)
        single = pick(name, pool_of(logits), 20, tie_break=tie_break)
        assert pick(name, pool_of(logits.astype("f8")), 20, tie_break=tie_break) == single

    def test_a_batch_of_the_pool_or_more_is_the_pool(self, name: str, tie_break: str) -> None:
        for logits in (random_logits(12), np.zeros((12, 10), np.float32)):
            for n in (12, 13, 500):
                found = pick(name, pool_of(logits, np.arange(12) + 4), n, tie_break=tie_break)
                assert found == list(range(4, 16))

    def test_an_empty_pool_gives_an_empty_batch(self, name: str, tie_break: str) -> None:
        assert pick(name, pool_of(np.empty((0, 10))), 5, tie_break=tie_break) == []

    def test_a_pool_of_one_gives_that_one(self, name: str, tie_break: str) -> None:
        assert pick(name, pool_of(random_logits(1), [77]), 5, tie_break=tie_break) == [77]

    def test_equal_scores_everywhere_give_a_whole_batch(self, name: str, tie_break: str) -> None:
        found = pick(name, pool_of(np.zeros((100, 10), np.float32)), 9, tie_break=tie_break)
        assert len(set(found)) == 9

    def test_the_same_request_gives_the_same_batch(self, name: str, tie_break: str) -> None:
        first = pick(name, pool_of(random_logits(400)), 25, tie_break=tie_break)
        assert pick(name, pool_of(random_logits(400)), 25, tie_break=tie_break) == first

    @pytest.mark.parametrize("classes", [1, 2, 3, 100])
    def test_any_number_of_columns_will_do(self, name: str, tie_break: str, classes: int) -> None:
        found = pick(name, pool_of(random_logits(80, classes)), 10, tie_break=tie_break)
        assert len(set(found)) == 10

    def test_what_is_given_is_left_as_it_was(self, name: str, tie_break: str) -> None:
        logits, index = random_logits(60), np.arange(60)
        pick(name, pool_of(logits, index), 10, tie_break=tie_break)
        np.testing.assert_array_equal(logits, random_logits(60))
        np.testing.assert_array_equal(index, np.arange(60))


@pytest.mark.parametrize("name", [*SCORED, MIX])
class TestEveryScoredStrategy:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_rows_that_are_not_finite_are_refused(self, name: str, bad: float) -> None:
        logits = random_logits(50)
        logits[[7, 9], 3] = bad
        with pytest.raises(ScoresError, match="2 of 50 rows hold NaN or infinities: index 7, 9"):
            pick(name, pool_of(logits), 5)

    def test_without_scores_it_says_so(self, name: str) -> None:
        pool = type(pool_of([[0.0, 1.0]]))(np.arange(5))
        with pytest.raises(ScoresError, match="no scores yet"):
            pick(name, pool, 2)

    def test_equal_rows_are_not_picked_twice_while_others_remain(self, name: str) -> None:
        logits = np.repeat(random_logits(30), 10, axis=0)
        for loop in range(5):
            found = pick(name, pool_of(logits), 30, loop=loop)
            assert len({sample // 10 for sample in found}) == 30

    def test_with_too_few_different_rows_the_rest_fills_up(self, name: str) -> None:
        logits = np.repeat(random_logits(4), 10, axis=0)
        found = pick(name, pool_of(logits), 11)
        assert len(set(found)) == 11
        assert {sample // 10 for sample in found} == {0, 1, 2, 3}

    def test_seeded_ties_depend_on_the_loop(self, name: str) -> None:
        pool = pool_of(np.zeros((300, 4), np.float32))
        assert pick(name, pool, 10, loop=1) != pick(name, pool, 10, loop=2)

    def test_probabilities_choose_as_their_logits_do(self, name: str) -> None:
        logits = np.random.default_rng(3).standard_normal((200, 4)) * 2
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        by_logits = pick(name, pool_of(logits), 15)
        assert pick(name, pool_of(shares, kind="probabilities"), 15) == by_logits


@pytest.mark.parametrize("name", sorted(set(SCORED) - {"diverse_margin"}))
def test_ties_by_index_take_the_lowest(name: str) -> None:
    pool = pool_of(np.zeros((50, 4), np.float32), np.arange(50)[::-1])
    assert select(pool, name, 5, tie_break="index") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["least_confidence", "margin", "ratio", "entropy"])
def test_two_classes_choose_the_same_by_any_measure(name: str) -> None:
    pool = pool_of(np.random.default_rng(0).standard_normal((300, 2)))
    assert select(pool, name, 30) == select(pool, "margin", 30)
