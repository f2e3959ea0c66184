"""Labels asked, against what a pool has."""

import pytest

from alectio_agent.hub.experiments.indices import chosen_up_to, pack, unlabelled, unpack
from alectio_agent.wire.pools import batch_left, labels_asked, pool_problem
from tests.support.benches import Bench, make_settings


@pytest.mark.parametrize(
    ("changed", "loops", "asked"),
    [
        ({"batch": 30}, 10, 300),
        ({"batch": 30}, 0, 0),
        ({"batch": 30}, 1, 30),
        ({"batch": 30, "initial": {"size": 100}}, 3, 160),
        ({"batch": [10, 20]}, 4, 70),
        ({"batch": [10, 20]}, 1, 10),
        ({"batch": {"start": 10, "growth": 2, "max": 35}}, 5, 10 + 20 + 35 + 35 + 35),
        ({"batch": {"start": 10, "growth": 2, "max": 35}, "initial": {"size": 1}}, 2, 21),
    ],
)
def test_labels_asked_are_the_sum_of_all_batches(changed, loops: int, asked: int) -> None:
    assert labels_asked(make_settings(**changed), loops) == asked


def test_a_thousand_million_loops_are_counted_without_a_walk() -> None:
    growing = {"start": 1, "growth": 1.5, "max": 10}
    assert labels_asked(make_settings(batch=growing), 10**9) > 9 * 10**9


def test_batches_stop_growing_at_their_maximum_however_late_the_loop() -> None:
    settings = make_settings(batch={"start": 10, "growth": 2, "max": 35})
    assert [batch_left(settings, loop, 0, 1000) for loop in (0, 1, 2, 10**6)] == [10, 20, 35, 35]


@pytest.mark.parametrize(
    ("changed", "pool", "fits"),
    [
        ({"batch": 20, "loops": 1}, 20, True),
        ({"batch": 21, "loops": 1}, 20, False),
        ({"batch": 7, "loops": 3}, 20, True),  # the last batch is cut to 6
        ({"batch": 10, "loops": 3}, 20, False),  # the last loop gets nothing
        ({"batch": 10, "loops": 30, "stop": {"max_labels": 20}}, 20, True),
        ({"batch": 10, "loops": 30, "stop": {"max_labels": 21}}, 20, False),
        ({"batch": 1, "loops": 2, "initial": {"size": 20}}, 20, False),
    ],
)
def test_every_loop_must_get_a_sample(changed, pool: int, fits: bool) -> None:
    assert (pool_problem(make_settings(**changed), pool) == "") is fits


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"batch": 300, "loops": 10}, "asks for 3,000 labels (batch 300, 10 loops)"),
        ({"batch": 30, "loops": 1}, "asks for 30 labels (batch 30, 1 loop)"),
        ({"batch": [30, 1, 2, 3, 4], "loops": 2}, "(batches 30, 1, 2, 3, ..., 2 loops)"),
        (
            {"batch": {"start": 30, "growth": 2, "max": 1000}, "loops": 1},
            "(batch 30 growing to 1,000, 1 loop)",
        ),
        ({"initial": {"size": 21}, "loops": 1}, "(initial 21, batch 4, 1 loop)"),
    ],
)
def test_the_message_names_batch_loops_and_pool(changed, told: str) -> None:
    problem = pool_problem(make_settings(**changed), 20)
    assert told in problem
    assert problem.endswith("; the pool has 20. Lower batch or loops")


def test_a_pool_of_more_than_32_bits_is_refused() -> None:
    assert "expected below 2**32" in pool_problem(make_settings(), 2**32)


@pytest.mark.parametrize(
    ("labelled", "max_labels", "left"), [(0, None, 4), (18, None, 2), (20, None, 0), (8, 10, 2)]
)
def test_a_batch_is_cut_to_what_is_left(labelled: int, max_labels: int | None, left: int) -> None:
    settings = make_settings(stop={"max_labels": max_labels})
    assert batch_left(settings, 1, labelled, 20) == left


def test_indices_are_packed_in_four_bytes_each() -> None:
    assert pack([1, 2**32 - 1]) == b"\x01\x00\x00\x00\xff\xff\xff\xff"
    assert unpack(pack([5, 0, 7])) == [5, 0, 7]


def test_what_is_not_labelled_is_left() -> None:
    assert unlabelled(6, [0, 3, 5]) == [1, 2, 4]
    assert unlabelled(2, [0, 1]) == []


def test_batches_add_up_loop_by_loop(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.settle()
    experiment_id = bench.show().experiment_id
    assert bench.run(lambda tx: chosen_up_to(tx, experiment_id, 0)) == [0, 1, 2, 3]
    assert bench.run(lambda tx: chosen_up_to(tx, experiment_id, 5)) == list(range(8))
