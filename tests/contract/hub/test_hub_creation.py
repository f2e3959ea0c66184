"""Experiments are made once, and start when pipeline and pool are known and fit."""

import pytest
from sqlalchemy import delete

from alectio_agent.hub.store.tables import offers
from tests.support.benches import Bench, make_settings, refused


def create(bench: Bench, **changed):
    return bench.run(lambda tx: bench.platform.create(tx, make_settings(**changed)))


def test_an_experiment_starts_with_the_pool_of_its_pipeline(bench: Bench) -> None:
    bench.agent()
    view = bench.create()
    assert (view.state, view.pool, view.control, view.control_of) == ("running", 20, None, None)
    assert view.results == str(bench.folder / "results" / "digits")
    assert bench.loop(0).selected == [0, 1, 2, 3]


def test_the_pool_of_the_settings_comes_first(bench: Bench) -> None:
    agent = bench.agent()
    assert bench.create(pool=15).pool == 15
    assert agent.claim().pool.size == 15


def test_the_number_of_record_names_is_a_pool_size(bench: Bench) -> None:
    bench.agent(pipelines=[{"name": "digits", "state_size": 30, "state_digest": "a" * 64}])
    assert bench.create().pool == 30


def test_the_same_settings_again_change_nothing(bench: Bench) -> None:
    bench.agent()
    first = create(bench)
    before = bench.store.commits
    assert create(bench) == first
    assert bench.store.commits == before


def test_other_settings_under_the_same_name_are_a_conflict_that_names_them(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(seed=1)
    agent.commit(agent.start())
    with refused("conflict") as caught:
        create(bench, batch=2, seed=2)
    assert caught.value.message == (
        "experiment `digits` already ran 1 of 3 loops with seed 1, batch 4; experiment.yaml now "
        "says seed 2, batch 2. Nothing was changed"
    )
    assert caught.value.code == "E-EXP-03"
    assert caught.value.extra == {
        "keys": ["seed", "batch"],
        "fixed": ["seed"],
        "next_loop": 1,
        "loops": 3,
    }
    assert bench.show().settings.batch == 4


def test_one_key_that_differs_is_told_shortly(bench: Bench) -> None:
    bench.agent()
    bench.create()
    with refused("conflict") as caught:
        create(bench, batch=2)
    assert "with batch 4; experiment.yaml now says 2. Nothing" in caught.value.message


def test_a_control_is_made_with_its_experiment(bench: Bench) -> None:
    bench.agent()
    view = bench.create(control="replay")
    control = bench.show("digits-control")
    assert (view.control, control.control_of) == ("digits-control", "digits")
    assert [part.name for part in control.settings.strategy] == ["random"]
    listed = bench.run(bench.platform.list).experiments
    assert [(found.name, found.loops) for found in listed] == [
        ("digits", []),
        ("digits-control", []),
    ]


def test_a_control_never_takes_the_name_of_another_experiment(bench: Bench) -> None:
    bench.agent()
    bench.create(name="digits-control")
    with refused("conflict"):
        create(bench, control="replay")
    with refused("not-found"):
        bench.show()


def test_more_labels_than_the_pool_has_are_refused(bench: Bench) -> None:
    bench.agent(pipelines=[{"name": "digits", "pool_size": 1437}])
    with refused("invalid") as caught:
        create(bench, batch=300, loops=10)
    assert caught.value.message == (
        "experiment `digits` asks for 3,000 labels (batch 300, 10 loops); the pool has 1,437. "
        "Lower batch or loops"
    )


def test_a_pool_larger_than_the_pipelines_is_refused(bench: Bench) -> None:
    bench.agent()
    with refused("invalid") as caught:
        create(bench, pool=21)
    assert "asks for a pool of 21; pipeline `digits` has 20" in caught.value.message


def test_without_agents_an_experiment_waits_for_one(bench: Bench) -> None:
    view = bench.create()
    assert (view.state, view.pool, view.loops) == ("running", None, [])
    bench.agent()
    bench.settle()
    assert bench.show().pool == 20
    assert bench.loop(0).state == "available"


def test_a_pool_that_turns_out_too_small_waits_for_a_person(bench: Bench) -> None:
    bench.create(batch=300, loops=10, control="replay")
    agent = bench.agent()
    bench.settle()
    view = bench.show()
    assert view.state == "waiting"
    assert view.reason.startswith("experiment `digits` asks for 3,000 labels")
    assert agent.poll() is None


def test_it_starts_when_its_agent_comes_back_with_a_pool_that_fits(bench: Bench) -> None:
    bench.create(batch=300, loops=10)
    agent = bench.agent()
    agent.restart(pipelines=[{"name": "digits", "pool_size": 5000}])
    bench.settle()
    assert (bench.show().state, bench.show().reason) == ("running", "")
    assert agent.claim().pool.size == 5000


def test_a_retry_asks_the_next_agent_that_registers(bench: Bench) -> None:
    """`run` retries before its agent registers: what the last one said must not decide."""
    bench.create(batch=300, loops=10)
    agent = bench.agent()
    assert bench.run(lambda tx: bench.platform.retry(tx, "digits")).state == "running"
    agent.restart()
    assert bench.show().state == "waiting"


def test_it_starts_with_an_agent_of_the_next_hub_process(bench: Bench) -> None:
    bench.create(batch=300, loops=10)
    bench.agent()
    assert bench.show().state == "waiting"
    bench.restart_hub()
    bench.agent("big", pipelines=[{"name": "digits", "pool_size": 5000}])
    assert bench.show().state == "running"


def test_a_retry_asks_the_agents_that_are_there(bench: Bench) -> None:
    bench.create()
    agent = bench.agent(pipelines=[{"name": "a", "pool_size": 20}, {"name": "b"}])
    assert bench.show().state == "waiting"
    bench.run(lambda tx: tx.execute(delete(offers).where(offers.c.pipeline == "b")))
    bench.run(lambda tx: bench.platform.retry(tx, "digits"))
    bench.settle()
    assert agent.claim().pipeline == "a"


def test_an_experiment_without_any_loop_can_be_cancelled(bench: Bench) -> None:
    bench.create()
    assert bench.run(lambda tx: bench.platform.cancel(tx, "digits")).state == "cancelled"
    bench.agent()
    bench.settle()
    assert bench.show().loops == []


def test_the_only_pipeline_is_taken(bench: Bench) -> None:
    agent = bench.agent(pipelines=[{"name": "xray", "pool_size": 20}])
    bench.create()
    assert agent.claim().pipeline == "xray"


def test_with_several_pipelines_one_has_to_be_named(bench: Bench) -> None:
    bench.agent(pipelines=[{"name": "b", "pool_size": 20}, {"name": "a", "pool_size": 20}])
    with refused("invalid") as caught:
        create(bench)
    assert caught.value.message == (
        "experiment `digits` names no pipeline, and the agents run a, b. Name one, such as "
        "`pipeline: a`"
    )
    assert create(bench, pipeline="b").state == "running"


def test_several_pipelines_that_turn_up_later_wait_for_a_person(bench: Bench) -> None:
    bench.create()
    bench.agent(pipelines=[{"name": "b", "pool_size": 20}, {"name": "a", "pool_size": 20}])
    assert bench.show().state == "waiting"
    assert "names no pipeline" in bench.show().reason


def test_what_agents_offered_to_an_earlier_hub_process_does_not_count(bench: Bench) -> None:
    """Before the embedded hub's agent registers, the tables tell of its last configuration."""
    agent = bench.agent(pipelines=[{"name": "digits", "pool_size": 5}])
    bench.restart_hub()
    assert create(bench).pool is None
    agent.restart(pipelines=[{"name": "digits", "pool_size": 20}])
    assert bench.show().pool == 20


def test_a_poll_is_enough_to_be_known_to_a_restarted_hub(bench: Bench) -> None:
    agent = bench.agent()
    bench.restart_hub()
    bench.create()
    assert agent.poll() is None
    bench.settle()
    assert agent.poll() is not None


def test_the_pool_stays_what_it_was_when_the_experiment_started(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.restart(pipelines=[{"name": "digits", "pool_size": 500}])
    assert agent.claim().pool.size == 20


def offer(size: int, digest: str):
    return [{"name": "digits", "pool_size": 20, "state_size": size, "state_digest": digest * 64}]


def test_the_digest_is_pinned_by_the_first_registration(bench: Bench) -> None:
    bench.create(pool=20, pipeline="digits")
    agent = bench.agent(pipelines=offer(20, "a"))
    assert agent.claim().pool.digest == "a" * 64
    again = agent.restart(pipelines=offer(20, "b")).claim()
    assert again.pool.digest == "a" * 64


def test_a_digest_over_more_names_than_the_pool_has_is_not_pinned(bench: Bench) -> None:
    agent = bench.agent(pipelines=offer(21, "a"))
    bench.create()
    assert agent.claim().pool.digest is None


def test_a_digest_that_comes_after_the_first_attempt_is_not_pinned(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start())
    bench.settle()
    assert agent.restart(pipelines=offer(20, "a")).claim().pool.digest is None


@pytest.mark.parametrize(
    ("verb", "state"), [("pause", "paused"), ("cancel", "cancelled"), ("retry", None)]
)
def test_steering_needs_the_right_state(bench: Bench, verb: str, state: str | None) -> None:
    bench.agent()
    bench.create()
    steer = getattr(bench.platform, verb)
    if state is None:
        with refused("conflict"):
            bench.run(lambda tx: steer(tx, "digits"))
        return
    assert bench.run(lambda tx: steer(tx, "digits")).state == state
    with refused("conflict"):
        bench.run(lambda tx: steer(tx, "digits"))
    with refused("not-found"):
        bench.run(lambda tx: steer(tx, "letters"))


def test_only_a_paused_experiment_can_be_resumed(bench: Bench) -> None:
    bench.agent()
    bench.create()
    with refused("conflict"):
        bench.run(lambda tx: bench.platform.resume(tx, "digits"))


def test_a_paused_experiment_that_had_no_pool_stays_paused_when_it_gets_one(bench: Bench) -> None:
    bench.create()
    bench.run(lambda tx: bench.platform.pause(tx, "digits"))
    agent = bench.agent()
    bench.settle()
    assert (bench.show().state, agent.poll()) == ("paused", None)
    bench.run(lambda tx: bench.platform.resume(tx, "digits"))
    bench.settle()
    assert agent.poll() is not None


def test_what_was_made_anew_says_from_which_file(bench: Bench) -> None:
    bench.agent()
    bench.create()
    settings = make_settings(name="digits-2", control="replay")
    view = bench.run(lambda tx: bench.platform.create(tx, settings, "digits"))
    assert view.series == "digits"
    assert (bench.show().series, bench.show("digits-2-control").series) == (None, None)
