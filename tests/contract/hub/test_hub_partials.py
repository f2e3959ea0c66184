"""Partial checkpoints: who was interrupted in a train goes on with what it saved."""

import pytest

from tests.support.benches import Bench, BenchAgent

HOUR = 3600.0
PARTIAL = "digits-ckpt_0.partial"


def interrupt(agent: BenchAgent, partial: str | None = PARTIAL) -> None:
    agent.fail(agent.start(), "interrupted", partial=partial)


@pytest.fixture
def first(bench: Bench) -> BenchAgent:
    return bench.agent("first")


@pytest.fixture
def second(bench: Bench) -> BenchAgent:
    return bench.agent("second")


def test_an_interrupted_loop_waits_for_the_agent_that_saved_a_part_of_it(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    bench.create()
    interrupt(first)
    assert second.poll() is None
    claim = first.claim()
    assert (claim.attempt, claim.steps[0].payload.resume_from) == (2, None)


def test_without_a_part_it_goes_to_anybody_at_once(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    bench.create()
    interrupt(first, None)
    assert second.claim().attempt == 2


@pytest.mark.parametrize("affinity", ["prefer", "strict"])
def test_after_the_affinity_time_anybody_trains_the_first_loop(
    bench: Bench, first: BenchAgent, second: BenchAgent, affinity: str
) -> None:
    """Also with `strict`: nobody needs what was saved."""
    bench.create(affinity=affinity)
    interrupt(first)
    bench.clock.advance(HOUR - 1)
    assert second.poll() is None
    bench.clock.advance(1)
    assert second.claim().attempt == 2


def test_an_agent_tells_of_it_when_it_registers(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    bench.create()
    interrupt(first)
    held = [{"experiment": "digits", "name": PARTIAL}]
    first.restart(checkpoints=held)
    assert second.poll() is None
    first.restart(checkpoints=[])
    assert second.poll() is not None


def test_it_comes_before_the_checkpoint_of_the_loop_before(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    """Both could resume; one of them has done a part of the work."""
    bench.create()
    first.commit(first.start())
    bench.settle()
    held = [{"experiment": "digits", "name": "digits-ckpt_0"}]
    second.register(checkpoints=held)
    interrupt(second, "digits-ckpt_1.partial")
    waiting = [agent.wait() for agent in (first, second)]
    bench.run(bench.platform.claiming.deal)
    assert [poll.claim is not None for poll in waiting] == [False, True]
    assert waiting[1].claim.steps[0].payload.resume_from == "digits-ckpt_0"


def test_it_is_shared_with_agents_on_the_same_store(bench: Bench) -> None:
    shared = [{"name": "digits", "pool_size": 20, "store": "nfs"}]
    first, second = bench.agent("first", pipelines=shared), bench.agent("second", pipelines=shared)
    third = bench.agent("third")
    bench.create()
    interrupt(first)
    assert third.poll() is None
    assert second.poll() is not None


def test_it_is_forgotten_when_the_train_of_its_loop_counts(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    bench.create()
    interrupt(first)
    bench.clock.advance(HOUR)
    claim = second.start()
    second.commit(claim, "train")
    assert held(bench, first) == 0
    second.commit(claim, "test", "infer")


def test_one_from_before_the_train_that_counts_keeps_nobody_waiting(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    """Its agent may still have the file, and tell of it."""
    bench.create()
    interrupt(first)
    bench.clock.advance(HOUR)
    claim = second.start()
    second.commit(claim, "train")
    first.register(checkpoints=[{"experiment": "digits", "name": PARTIAL}])
    second.fail(claim, "interrupted", step="test")
    second.restart(checkpoints=[])
    assert bench.agent("third").claim().steps[0].step == "train"


def test_it_is_forgotten_when_its_loop_is_rewound(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    bench.create()
    interrupt(first)
    bench.rewind()
    bench.settle()
    assert held(bench, first) == 0
    assert second.claim().job == "digits/0"


def test_a_loop_that_is_trained_from_nothing_goes_on_with_a_part_too(
    bench: Bench, first: BenchAgent, second: BenchAgent
) -> None:
    bench.create()
    first.fail(first.start(), "checkpoint")
    interrupt(first, "digits-ckpt_0-a2.partial")
    assert second.poll() is None
    assert first.claim().attempt == 3


def held(bench: Bench, agent: BenchAgent) -> int:
    views = bench.run(bench.platform.agents).agents
    return next(view.checkpoints for view in views if view.name == agent.name)
