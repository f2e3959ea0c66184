"""Agents that run several jobs at once: nothing of one job touches another."""

import pytest

from tests.support.benches import Bench, BenchAgent, refused


@pytest.fixture
def agent(bench: Bench) -> BenchAgent:
    """Two slots, and a job of each of two experiments to do."""
    agent = bench.agent(slots=2)
    bench.create(takeover_after=0)
    bench.create(name="letters", takeover_after=0)
    return agent


def states(bench: Bench) -> list[str]:
    return [bench.loop(0, name).state for name in ("digits", "letters")]


def test_an_agent_gets_a_job_for_each_slot(bench: Bench, agent: BenchAgent) -> None:
    first, second = agent.start(), agent.start()
    assert [first.job, second.job] == ["digits/0", "letters/0"]
    agent.commit(second, "train")
    agent.commit(first)
    agent.commit(second, "test", "infer")
    assert states(bench) == ["done", "done"]


def test_each_lease_has_its_own_beats(bench: Bench, agent: BenchAgent) -> None:
    first, second = agent.start(), agent.start()
    bench.tick(60)
    agent.beat(second)
    bench.tick(60)
    assert states(bench) == ["available", "running"]
    agent.beat(first)
    assert states(bench) == ["running", "running"]


def test_a_claim_that_is_never_started_returns_though_its_agent_beats_for_another(
    bench: Bench, agent: BenchAgent
) -> None:
    first, second = agent.start(), agent.claim()
    for _ in range(3):
        bench.tick(30)
        agent.beat(first)
    assert states(bench) == ["running", "available"]
    with refused("lease-lost"):
        agent.beat(second)


def test_the_newest_claim_is_given_again_and_no_other(bench: Bench, agent: BenchAgent) -> None:
    agent.start()
    second = agent.claim()
    assert agent.poll(seq=2) == second
    with refused("stale-seq"):
        agent.poll(seq=1)


def test_a_refused_job_leaves_the_other_alone(bench: Bench, agent: BenchAgent) -> None:
    first = agent.start()
    agent.claim()
    agent.poll(refused={"seq": 2, "reason": "the names of samples changed"})
    assert [bench.show(name).state for name in ("digits", "letters")] == ["running", "waiting"]
    agent.commit(first)
    assert states(bench) == ["done", "waiting"]


def test_a_failure_leaves_the_other_alone(bench: Bench, agent: BenchAgent) -> None:
    first, second = agent.start(), agent.start()
    agent.fail(first, "interrupted")
    assert states(bench) == ["available", "running"]
    assert agent.start().job == "digits/0"
    agent.commit(second)
    assert states(bench) == ["running", "done"]


def test_an_agent_that_comes_back_with_one_job_has_lost_the_other(
    bench: Bench, agent: BenchAgent
) -> None:
    first, second = agent.start(), agent.start()
    agent.restart(holding=[second.lease], slots=2)
    assert states(bench) == ["available", "running"]
    assert agent.claim().job == "digits/0"
    with refused("lease-lost"):
        agent.beat(first)
    agent.commit(second)


def test_a_free_slot_never_gets_the_job_that_another_slot_of_its_agent_works_at(
    bench: Bench,
) -> None:
    """Its beats may be lost while its polls are not: two attempts would train side by side."""
    agent, other = bench.agent(slots=2), bench.agent("gpu02")
    bench.create(takeover_after=0)
    first = agent.start()
    bench.tick(200)
    assert bench.show().loops[0].state == "available"
    assert agent.poll() is None
    agent.beat(first)
    assert bench.show().loops[0].state == "running"
    bench.tick(200)
    assert other.claim().job == "digits/0"


def test_leaving_returns_what_was_never_started(bench: Bench, agent: BenchAgent) -> None:
    agent.start()
    agent.claim()
    agent.leave()
    assert states(bench) == ["running", "available"]


def test_a_busy_slot_gets_no_job(bench: Bench) -> None:
    """`free` names only what a free slot may run."""
    offers = [{"name": "digits", "pool_size": 20}, {"name": "faces", "pool_size": 20}]
    agent = bench.agent(slots=2, pipelines=offers)
    for name in ("one", "two"):
        bench.create(name=name, pipeline="digits")
    bench.create(name="three", pipeline="faces")
    assert agent.claim(free=["digits"]).job == "one/0"
    assert agent.claim(free=["faces"]).job == "three/0"
    assert agent.poll(free=["faces"]) is None
    assert agent.poll(free=[]) is None


def test_a_poll_with_more_free_slots_takes_the_place_of_the_one_before(bench: Bench) -> None:
    offers = [{"name": "digits", "pool_size": 20}, {"name": "faces", "pool_size": 20}]
    agent = bench.agent(slots=2, pipelines=offers)
    bench.create(name="three", pipeline="faces")
    before = agent.wait("digits")
    after = agent.wait("digits", "faces")
    assert before.is_over
    bench.run(bench.platform.claiming.deal)
    assert after.claim is not None
    assert after.claim.job == "three/0"


def test_a_free_slot_runs_the_control_meanwhile(bench: Bench) -> None:
    agent = bench.agent(slots=2)
    bench.create(control="replay")
    agent.start()
    assert agent.claim().job == "digits-control/0"


def test_a_slot_that_has_just_computed_its_job_does_not_begin_the_control(bench: Bench) -> None:
    """The next loop of its experiment comes first; the other slot is busy with something else."""
    offers = [{"name": "digits", "pool_size": 20}, {"name": "faces", "pool_size": 20}]
    agent = bench.agent(slots=2, pipelines=offers)
    bench.create(pipeline="digits", control="replay")
    bench.create(name="three", pipeline="faces")
    claim = agent.start()
    other = agent.start()
    assert (claim.job, other.job) == ("digits/0", "three/0")
    agent.beat(claim, state="delivering")
    assert agent.poll(free=["digits"]) is None
    agent.commit(claim)
    bench.settle()
    assert agent.claim(free=["digits"]).job == "digits/1"


def test_a_restarted_hub_knows_how_many_slots_there_are(bench: Bench) -> None:
    agent = bench.agent(slots=2)
    bench.create(control="replay")
    claim = agent.start()
    bench.restart_hub()
    agent.register(holding=[claim.lease])
    agent.beat(claim)
    assert agent.claim().job == "digits-control/0"


def test_all_jobs_of_an_agent_are_shown(bench: Bench, agent: BenchAgent) -> None:
    agent.start()
    agent.start()
    (view,) = bench.run(bench.platform.agents).agents
    assert (view.slots, [job.job for job in view.jobs]) == (2, ["digits/0", "letters/0"])


def test_two_jobs_of_one_machine_are_lost_one_by_one(bench: Bench, agent: BenchAgent) -> None:
    for _ in range(3):
        agent.start()
        agent.start()
        agent.restart(slots=2)
    assert [bench.show(name).state for name in ("digits", "letters")] == ["waiting", "waiting"]
