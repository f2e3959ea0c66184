"""Who gets which job: oldest first, higher priority first, holders of the checkpoint first."""

import pytest

from tests.support.benches import Bench

HOUR = 3600.0


def two_agents_after_loop_0(bench: Bench, **changed):
    """The first agent has run loop 0, so that it holds its checkpoint; loop 1 is available."""
    first, second = bench.agent("first"), bench.agent("second")
    bench.create(**changed)
    first.commit(first.start())
    bench.settle()
    return first, second


def test_resume_from_names_the_train_that_counted(bench: Bench) -> None:
    first, _ = two_agents_after_loop_0(bench)
    assert first.claim().steps[0].payload.resume_from == "digits-ckpt_0"


def test_resume_from_names_a_registered_checkpoint(bench: Bench) -> None:
    first, _ = two_agents_after_loop_0(bench)
    held = [{"experiment": "digits", "name": "digits-ckpt_0"}]
    assert first.restart(checkpoints=held).claim().steps[0].payload.resume_from == "digits-ckpt_0"


def test_resume_from_is_null_for_an_agent_that_no_longer_holds_it(bench: Bench) -> None:
    first, _ = two_agents_after_loop_0(bench)
    claim = first.restart(checkpoints=[]).claim()
    assert claim.steps[0].payload.resume_from is None
    assert claim.steps[0].payload.labeled == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_checkpoint_of_another_experiment_is_of_no_use(bench: Bench) -> None:
    first, _ = two_agents_after_loop_0(bench)
    held = [{"experiment": "letters", "name": "digits-ckpt_0"}]
    assert first.restart(checkpoints=held).claim().steps[0].payload.resume_from is None


def test_an_agent_without_the_checkpoint_waits_for_the_affinity_time(bench: Bench) -> None:
    _, second = two_agents_after_loop_0(bench)
    bench.clock.advance(HOUR - 1)
    assert second.poll() is None
    bench.clock.advance(1)
    claim = second.claim()
    assert claim.steps[0].payload.resume_from is None


def test_a_restarted_hub_counts_the_affinity_time_anew(bench: Bench) -> None:
    _, second = two_agents_after_loop_0(bench)
    bench.clock.advance(HOUR - 1)
    bench.restart_hub()
    assert second.poll() is None
    bench.clock.advance(HOUR - 1)
    assert second.poll() is None
    bench.clock.advance(1)
    assert second.poll() is not None


def test_a_claim_that_was_never_started_takes_no_time_from_others(bench: Bench) -> None:
    """An agent that claims, and whose beats do not get through, would keep the job for ever."""
    first, second = two_agents_after_loop_0(bench)
    bench.tick(HOUR - 70)
    first.claim()
    bench.tick(61)
    assert second.poll() is None
    bench.tick(9)
    assert second.poll() is not None


def test_a_job_that_comes_back_has_its_place_before_younger_ones(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(name="older")
    bench.create(name="younger")
    assert agent.claim().job == "older/0"
    bench.tick(61)
    assert agent.claim().job == "older/0"


def test_strict_affinity_never_gives_a_job_to_others(bench: Bench) -> None:
    first, second = two_agents_after_loop_0(bench, affinity="strict")
    bench.clock.advance(100 * HOUR)
    assert second.poll() is None
    assert first.poll() is not None


def test_agents_with_the_same_store_share_their_checkpoints(bench: Bench) -> None:
    shared = [{"name": "digits", "pool_size": 20, "store": "nfs"}]
    first, second = bench.agent("first", pipelines=shared), bench.agent("second", pipelines=shared)
    third = bench.agent("third", pipelines=[{"name": "digits", "pool_size": 20, "store": "else"}])
    bench.create()
    first.commit(first.start())
    bench.settle()
    assert third.poll() is None
    assert second.claim().steps[0].payload.resume_from == "digits-ckpt_0"


def test_a_holder_of_this_very_loop_on_the_same_store_goes_on(bench: Bench) -> None:
    shared = [{"name": "digits", "pool_size": 20, "store": "nfs"}]
    first, second = bench.agent("first", pipelines=shared), bench.agent("second", pipelines=shared)
    bench.create()
    claim = first.start()
    first.commit(claim, "train")
    first.fail(claim, "interrupted", step="test")
    again = second.start()
    assert [order.step for order in again.steps] == ["test", "infer"]
    second.commit(again)
    assert bench.loop(0).seconds.keys() == {"train", "test", "infer"}


def test_a_job_taken_over_does_not_wait_for_the_one_that_lost_it(bench: Bench) -> None:
    first, second = two_agents_after_loop_0(bench, takeover_after=0)
    first.start()
    bench.tick(91)
    assert second.claim().steps[0].payload.resume_from is None


def test_tags_choose_agents(bench: Bench) -> None:
    plain, big = bench.agent("plain"), bench.agent("big", tags=["a100", "nvme"])
    bench.create(tags=["a100"])
    assert plain.poll() is None
    assert big.poll() is not None


def test_the_oldest_job_goes_first(bench: Bench) -> None:
    agent = bench.agent()
    for name in ("second", "first"):
        bench.create(name=name)
        bench.clock.advance(1)
    assert agent.start().job == "second/0"


def test_experiments_take_turns(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(name="one", loops=2)
    bench.create(name="two", loops=2)
    ran = []
    for _ in range(4):
        bench.clock.advance(1)
        claim = agent.start()
        ran.append(claim.job)
        agent.commit(claim)
        bench.settle()
    assert ran == ["one/0", "two/0", "one/1", "two/1"]


def test_on_one_slot_the_control_runs_after_its_experiment(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    ran = []
    while (claim := agent.poll()) is not None:
        agent.beat(claim)
        agent.commit(claim)
        bench.settle()
        ran.append(claim.job)
    assert ran == [f"digits/{loop}" for loop in range(3)] + [
        f"digits-control/{loop}" for loop in range(3)
    ]


def test_a_control_waits_while_its_experiment_owes_a_selection(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    agent.commit(agent.start())
    assert agent.poll() is None
    bench.settle()
    assert agent.claim().job == "digits/1"


def test_a_control_waits_while_the_last_results_of_the_same_agent_are_on_their_way(
    bench: Bench,
) -> None:
    """The agent polls as soon as a result is on its disk, before the hub has it."""
    agent = bench.agent()
    bench.create(control="replay")
    claim = agent.start()
    agent.commit(claim, "train", "test")
    assert agent.poll() is None
    agent.commit(claim, "infer")
    bench.settle()
    assert agent.claim().job == "digits/1"


def test_a_second_agent_may_run_the_control_meanwhile(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    bench.create(control="replay")
    first.start()
    assert second.claim().job == "digits-control/0"


def test_a_control_waits_while_a_target_is_undecided(bench: Bench) -> None:
    """The next loop may still come: it does not owe a selection yet, but is not over either."""
    agent = bench.agent()
    target = {"metric": "accuracy", "value": 0.9}
    bench.create(control="replay", stop={"target": target})
    agent.commit(agent.start())
    assert agent.poll() is None


def test_a_control_runs_while_its_experiment_waits_for_a_person(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(control="replay")
    agent.fail(agent.start(), "user_code")
    assert agent.claim().job == "digits-control/0"


def test_a_control_of_one_pipeline_does_not_wait_for_another_pipeline(bench: Bench) -> None:
    offers = [{"name": "digits", "pool_size": 20}, {"name": "xray", "pool_size": 20}]
    agent = bench.agent(pipelines=offers)
    bench.create(pipeline="digits", control="replay", loops=1)
    agent.commit(agent.start())
    bench.settle()
    bench.create(name="other", pipeline="xray")
    assert agent.poll(free=["digits"]).job == "digits-control/0"


@pytest.mark.parametrize("loop", [0, 1])
def test_a_control_has_no_infer(bench: Bench, loop: int) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(control="replay")
    agent.start()
    claim = other.start()
    for _ in range(loop):
        other.commit(claim)
        bench.settle()
        claim = other.start()
    assert claim.experiment == "digits-control"
    assert [order.step for order in claim.steps] == ["train", "test"]


def test_the_last_loop_has_no_infer(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=2)
    claim = agent.start()
    assert [order.step for order in claim.steps] == ["train", "test", "infer"]
    agent.commit(claim)
    bench.settle()
    assert [order.step for order in agent.claim().steps] == ["train", "test"]
