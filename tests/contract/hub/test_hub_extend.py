"""Experiments that grow: samples that came later, and more loops."""

import json

import pytest

from alectio_agent.hub.experiments.records import change_experiment
from alectio_agent.hub.store.tables import experiments
from tests.support.benches import Bench, BenchAgent, make_settings, refused

ALL = "train test infer"


def offer(size: int, digest: str | None = None, names: int | None = None):
    state = {"state_digest": digest * 64, "state_size": names or size} if digest else {}
    return [{"name": "digits", "pool_size": size, **state}]


def grown(bench: Bench, size: int = 30, **changed) -> BenchAgent:
    """`digits` on 20 samples, and an agent that came back with more."""
    agent = bench.agent()
    bench.create(**changed)
    return agent.restart(pipelines=offer(size))


def test_the_pool_grows_to_what_was_asked_for(bench: Bench) -> None:
    agent = grown(bench)
    assert bench.extend(pool=25).pool == 25
    claim = agent.claim()
    assert claim.pool.size == 25
    assert claim.pool.earlier[0].model_dump() == {"size": 20, "digest": None}
    assert claim.steps[2].payload.unlabeled == list(range(4, 25))


def test_without_a_number_it_grows_to_what_the_agents_offer(bench: Bench) -> None:
    grown(bench, 30)
    assert bench.extend().pool == 30


def test_each_earlier_pool_stays_pinned(bench: Bench) -> None:
    agent = bench.agent(pipelines=offer(20, "a"))
    bench.create()
    agent.restart(pipelines=offer(25, "b"))
    bench.extend(pool=25)
    agent.restart(pipelines=offer(40, "c", names=50))
    bench.extend(pool=40)
    pool = agent.claim().pool
    assert (pool.size, pool.digest) == (40, None), "a digest over other 50 names is of no use"
    assert [(pin.size, pin.digest) for pin in pool.earlier] == [(20, "a" * 64), (25, "b" * 64)]
    stored = bench.run(lambda tx: tx.execute(experiments.select()).one().pool_pins)
    assert json.loads(stored)[0] == {"size": 20, "digest": "a" * 64}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"pool": 20}, "found a pool of 20; expected more than 20"),
        ({"pool": 19}, "expected more than 20"),
        ({"pool": 31}, "found a pool of 31; the agents offer 30 for pipeline `digits`"),
        ({"loops": 3}, "found loops 3; expected more than 3"),
        ({"loops": 2}, "expected more than 3"),
    ],
)
def test_what_would_not_grow_is_refused(bench: Bench, said: dict[str, int], told: str) -> None:
    grown(bench)
    before = bench.show()
    with refused("conflict") as caught:
        bench.extend(**said)
    assert (caught.value.code, told in caught.value.message) == ("E-EXP-10", True)
    assert bench.show() == before


def test_nothing_more_is_offered(bench: Bench) -> None:
    bench.agent()
    bench.create()
    with refused("conflict") as caught:
        bench.extend()
    assert "found a pool of 20; expected more than 20" in caught.value.message


def test_an_agent_has_to_have_called(bench: Bench) -> None:
    grown(bench)
    bench.restart_hub()
    with refused("conflict") as caught:
        bench.extend(pool=25)
    assert "has called since the hub started" in caught.value.message


def test_an_experiment_that_has_not_started_has_no_pool_to_extend(bench: Bench) -> None:
    bench.create()
    with refused("conflict") as caught:
        bench.extend(pool=25)
    assert "has not started" in caught.value.message


def test_more_samples_and_more_loops_go_together(bench: Bench) -> None:
    """7 loops of 4 need the larger pool."""
    agent = grown(bench, 30)
    with refused("invalid"):
        bench.extend(loops=7)
    assert bench.show().settings.loops == 3
    view = bench.extend(loops=7, pool=30)
    assert (view.pool, view.settings.loops) == (30, 7)
    assert len(bench.run_loops(agent)) == 7


def test_too_many_loops_undo_the_larger_pool_as_well(bench: Bench) -> None:
    grown(bench, 30)
    with refused("invalid"):
        bench.extend(loops=70, pool=30)
    assert bench.show().pool == 20


def test_a_finished_experiment_goes_on_with_more_loops(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent)
    assert bench.extend(loops=4).state == "running"
    assert bench.run_loops(agent) == ["digits/2 infer", "digits/3 train test"]


def test_more_samples_alone_do_not_wake_an_experiment_that_has_run_its_loops(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.run_loops(agent)
    agent.restart(pipelines=offer(30))
    assert bench.extend().state == "finished"
    assert agent.poll() is None
    bench.extend(loops=4)
    claim = agent.start()
    assert claim.steps[-1].payload.unlabeled[-1] == 29


def test_more_samples_do_not_lift_a_stop(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(loops=6, stop={"max_labels": 20})
    bench.run_loops(agent)
    agent.restart(pipelines=offer(30), checkpoints=held("digits-ckpt_4"))
    assert bench.extend(pool=30).state == "finished"
    bench.update(loops=6, stop={"max_labels": 24})
    assert bench.run_loops(agent) == ["digits/4 infer", "digits/5 train test"]


def held(*names: str):
    return [{"experiment": "digits", "name": name} for name in names]


def test_an_empty_pool_is_no_end_once_it_grew(bench: Bench) -> None:
    agent = bench.agent()
    said = {"batch": [10, 10, 5], "loops": 3}
    view = bench.create(**said, stop={"max_labels": 20})
    # A hub of an earlier version may have let it begin without that stop.
    plain = make_settings(**said).model_dump_json()
    bench.run(lambda tx: change_experiment(tx, view.experiment_id, settings=plain))
    bench.run_loops(agent)
    view = bench.show()
    assert (view.state, len(view.loops)) == ("finished", 2)
    assert view.reason.startswith("the pool is empty")
    agent.restart(pipelines=offer(30), checkpoints=held("digits-ckpt_1"))
    view = bench.extend(pool=30)
    assert (view.state, view.reason) == ("running", "")
    claim = agent.start()
    assert [order.step for order in claim.steps] == ["infer"]
    assert claim.steps[0].payload.unlabeled == list(range(20, 30))
    agent.commit(claim)
    bench.settle()
    assert bench.loop(2).selected == [20, 21, 22, 23, 24]


class TestWhileALoopRuns:
    def test_a_loop_that_was_not_claimed_sees_the_whole_pool(self, bench: Bench) -> None:
        agent = grown(bench)
        bench.extend()
        assert bench.run_loops(agent, most=1) == ["digits/0 " + ALL]

    def test_what_it_trains_and_tests_counts_and_infer_comes_again(self, bench: Bench) -> None:
        agent = grown(bench)
        claim = agent.start()
        bench.extend()
        agent.commit(claim, "train", "test")
        with refused("lease-lost"):
            agent.commit(claim, "infer")
        again = agent.start()
        assert [order.step for order in again.steps] == ["infer"]
        assert again.steps[0].payload.unlabeled == list(range(4, 30))

    def test_an_infer_that_runs_is_stopped(self, bench: Bench) -> None:
        agent = grown(bench)
        claim = agent.start()
        agent.commit(claim, "train", "test")
        bench.extend()
        with refused("lease-lost"):
            agent.beat(claim, step="infer")
        assert bench.run_loops(agent, most=1) == ["digits/0 infer"]

    def test_a_selection_that_is_owed_waits_for_the_new_samples(self, bench: Bench) -> None:
        agent = grown(bench)
        agent.commit(agent.start())
        view = bench.extend()
        assert (view.loops[-1].loop, view.loops[-1].state) == (0, "available")
        bench.settle()
        assert bench.run_loops(agent, most=2) == ["digits/0 infer", "digits/1 " + ALL]
        assert bench.loop(1).selected == [4, 5, 6, 7]

    def test_a_loop_that_waits_for_a_person_goes_on_waiting(self, bench: Bench) -> None:
        agent = grown(bench)
        claim = agent.start()
        agent.commit(claim, "train", "test")
        agent.fail(claim, "contract", step="infer")
        assert bench.extend().state == "waiting"
        bench.steer("retry")
        assert agent.claim().steps[0].payload.unlabeled[-1] == 29

    def test_the_last_loop_runs_on_undisturbed(self, bench: Bench) -> None:
        agent = grown(bench, loops=1)
        claim = agent.start()
        bench.extend()
        agent.commit(claim)
        bench.settle()
        assert bench.show().state == "finished"


def test_the_control_grows_with_its_experiment(bench: Bench) -> None:
    agent = grown(bench, control="replay")
    bench.extend(pool=30, loops=7)
    control = bench.show("digits-control")
    assert (control.pool, control.settings.loops) == (30, 7)
    assert len(bench.run_loops(agent)) == 14


def test_a_control_does_not_grow_by_itself(bench: Bench) -> None:
    grown(bench, control="replay")
    with refused("conflict") as caught:
        bench.extend("digits-control", pool=30)
    assert "is the control of" in caught.value.message


def test_a_cancelled_experiment_does_not_grow(bench: Bench) -> None:
    grown(bench)
    bench.steer("cancel")
    with refused("conflict") as caught:
        bench.extend(pool=30)
    assert caught.value.code == "E-EXP-02"


def test_the_file_may_say_the_old_or_the_new_number(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(pool=20)
    agent.restart(pipelines=offer(30))
    bench.extend(pool=30)
    for pool in (20, 30):
        bench.create(pool=pool)
        assert bench.update(pool=pool, batch=3).settings.pool == 20
        bench.update(pool=pool, batch=4)
    with refused("conflict"):
        bench.create(pool=25)


class TestAnAgentThatStillOffersTheOldPool:
    def after_loop_0(self, bench: Bench, **changed) -> tuple[BenchAgent, BenchAgent]:
        """The small one has run loop 0 of 20 samples; the pool has 30 now."""
        small, big = bench.agent("small"), bench.agent("big", pipelines=offer(30))
        bench.create(pool=20, **changed)
        small.commit(small.start())
        bench.settle()
        bench.extend(pool=30)
        return small, big

    def test_gets_no_job_of_the_new_one(self, bench: Bench) -> None:
        small, big = self.after_loop_0(bench)
        assert small.poll() is None
        assert big.poll() is not None

    def test_gets_jobs_again_once_it_has_the_samples(self, bench: Bench) -> None:
        small, _ = self.after_loop_0(bench)
        assert small.restart(pipelines=offer(30)).poll() is not None

    def test_is_not_waited_for_as_a_holder(self, bench: Bench) -> None:
        _, big = self.after_loop_0(bench)
        assert big.claim().steps[0].step == "train", "at once, without the checkpoint"

    def test_still_runs_a_smaller_experiment_behind_it(self, bench: Bench) -> None:
        small, _ = self.after_loop_0(bench)
        bench.create(name="letters", pool=20)
        assert small.claim().experiment == "letters"

    def test_is_not_the_one_that_the_experiment_waits_for(self, bench: Bench) -> None:
        small, _ = self.after_loop_0(bench)
        bench.clock.advance(91)
        small.poll()
        waits_for = bench.show().waits_for
        assert waits_for == "an agent that offers pipeline `digits` with 30 samples"

    def test_may_leave_the_number_to_the_experiment(self, bench: Bench) -> None:
        small, _ = self.after_loop_0(bench)
        small.restart(pipelines=[{"name": "digits"}])
        assert small.poll() is not None
