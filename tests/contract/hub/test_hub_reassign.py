"""Reassigning: a person knows that the agent that has a job is gone."""

import pytest

from tests.support.benches import Bench, BenchAgent, refused

ALL = "train test infer"


def two(bench: Bench, **changed) -> tuple[BenchAgent, BenchAgent]:
    """The first agent has run loop 0, so that it holds its checkpoint; loop 1 is available."""
    first, second = bench.agent("first"), bench.agent("second")
    bench.create(**changed)
    first.commit(first.start())
    bench.settle()
    return first, second


def test_a_job_whose_lease_ran_out_goes_to_another_agent_at_once(bench: Bench) -> None:
    first, second = two(bench)
    first.start()
    bench.tick(91)
    assert second.poll() is None
    view = bench.steer("reassign")
    assert view.loops[1].state == "available"
    claim = second.start()
    assert claim.attempt == 2
    assert claim.steps[0].payload.resume_from is None


def test_the_first_commit_still_wins(bench: Bench) -> None:
    """The agent was only offline; its ten hours of training count."""
    first, second = two(bench)
    old = first.start()
    bench.tick(91)
    bench.steer("reassign")
    new = second.start()
    first.commit(old, "train")
    with refused("lease-lost"):
        second.beat(new)
    assert bench.loop(1).agent == "first"


def test_what_the_other_attempt_committed_is_void_from_the_first_commit_on(bench: Bench) -> None:
    first, second = two(bench)
    old = first.start()
    first.commit(old, "train", duration_s=10)
    bench.tick(91)
    bench.steer("reassign")
    new = second.start()
    assert [order.step for order in new.steps] == ALL.split()
    assert bench.loop(1).seconds == {"train": 10}
    second.commit(new, "train", duration_s=20)
    assert bench.loop(1).seconds == {"train": 20}


@pytest.mark.parametrize("silent_s", [0, 90])
def test_an_agent_that_is_heard_of_keeps_its_job(bench: Bench, silent_s: int) -> None:
    first, second = two(bench)
    first.start()
    bench.tick(silent_s)
    with refused("conflict") as caught:
        bench.steer("reassign")
    assert caught.value.code == "E-EXP-09"
    assert "digits/1 is with agent first, heard of" in caught.value.message
    assert second.poll() is None


def test_a_restarted_hub_gives_the_agent_a_fresh_period_first(bench: Bench) -> None:
    first, _ = two(bench)
    first.start()
    bench.tick(91)
    bench.restart_hub()
    with refused("conflict"):
        bench.steer("reassign")


def test_a_job_that_waits_for_the_holder_of_its_checkpoint_goes_to_anybody(bench: Bench) -> None:
    _, second = two(bench)
    assert second.poll() is None
    before = bench.show().version
    assert bench.steer("reassign").version > before, "those who wait for a job look again"
    assert second.claim().steps[0].payload.resume_from is None


def test_the_holder_may_still_have_it(bench: Bench) -> None:
    first, _ = two(bench)
    bench.steer("reassign")
    assert first.claim().steps[0].payload.resume_from == "digits-ckpt_0"


def test_a_job_that_anybody_may_have_is_not_reassigned(bench: Bench) -> None:
    bench.agent()
    bench.create()
    with refused("conflict") as caught:
        bench.steer("reassign")
    assert caught.value.code == "E-EXP-09"
    assert "waits for no particular agent" in caught.value.message


def test_twice_in_a_row_the_second_time_there_is_nothing_left_to_do(bench: Bench) -> None:
    two(bench)
    bench.steer("reassign")
    with refused("conflict"):
        bench.steer("reassign")


def test_reassigning_is_no_loss_that_is_counted(bench: Bench) -> None:
    first, _ = two(bench)
    for _ in range(5):
        first.start()
        bench.tick(91)
        bench.steer("reassign")
    assert bench.show().state == "running"


def test_strict_affinity_is_kept(bench: Bench) -> None:
    first, _ = two(bench, affinity="strict")
    first.start()
    bench.tick(91)
    with refused("conflict") as caught:
        bench.steer("reassign")
    assert "`affinity: strict` keeps it" in caught.value.message
    bench.update(affinity="prefer")
    assert bench.steer("reassign").loops[1].state == "available"


def test_without_a_job_there_is_nothing_to_reassign(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    with refused("conflict") as caught:
        bench.steer("reassign")
    assert "has no job now" in caught.value.message


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_only_an_experiment_that_runs_is_reassigned(bench: Bench, verb: str) -> None:
    two(bench)
    bench.steer(verb)
    with refused("conflict") as caught:
        bench.steer("reassign")
    assert caught.value.code == "E-EXP-02"
