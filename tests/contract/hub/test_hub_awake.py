"""A hub that stood still, or whose wall clock was set, gives nothing away."""

from datetime import timedelta

import pytest

from alectio_agent.core.clock import timestamp
from tests.support.benches import Bench

HOUR, DAY = 3600.0, 86_400.0


def test_a_claim_is_not_taken_back_for_the_time_that_the_hub_stood_still(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    claim = agent.claim()
    bench.stay_awake(50)
    bench.stand_still(DAY)
    assert other.poll() is None
    assert agent.beat(claim).cancel is None


def test_a_claim_that_is_never_started_still_returns(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    agent.claim()
    bench.stand_still(DAY)
    bench.stay_awake(50)
    assert other.poll() is None
    bench.stay_awake(11)
    assert other.claim().attempt == 2


def test_a_lease_does_not_run_out_while_the_hub_stands_still(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(takeover_after=0)
    claim = agent.start()
    for _ in range(5):
        bench.stay_awake(30)
        bench.stand_still(10 * HOUR)
        assert bench.loop(0).state == "running"
        agent.beat(claim)
    bench.stay_awake(91)
    assert bench.loop(0).state == "available"


def test_a_gap_as_long_as_a_late_turn_counts(bench: Bench) -> None:
    """Else a busy machine would never give a lost job to anybody."""
    agent = bench.agent()
    bench.create(takeover_after=0)
    agent.start()
    for _ in range(16):
        bench.stand_still(6)
    assert bench.loop(0).state == "available"


def test_a_job_is_kept_for_the_holder_of_its_checkpoint_while_the_hub_stands_still(
    bench: Bench,
) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    agent.commit(agent.start())
    bench.settle()
    bench.stay_awake(HOUR - 60)
    bench.stand_still(DAY)
    assert other.poll() is None
    bench.stay_awake(60)
    assert other.claim().steps[0].payload.resume_from is None


def test_agents_that_were_there_are_there_when_the_hub_wakes_up(bench: Bench) -> None:
    bench.agent()
    bench.create()
    bench.stand_still(DAY)
    assert bench.show().waits_for == ""
    bench.stay_awake(91)
    assert bench.show().waits_for == "an agent that offers pipeline `digits`"


def test_an_agent_keeps_its_place_in_line_when_the_hub_wakes_up(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    first.poll()
    bench.stay_awake(10)
    second.poll()
    bench.stand_still(DAY)
    polls = bench.platform.claiming.polls
    second.poll()
    since = {agent.name: polls._patience[agent.agent_id].since for agent in (first, second)}
    assert since["second"] - since["first"] == 10


@pytest.mark.parametrize("days", [-400, -1, 1, 400])
def test_the_wall_clock_moves_no_lease_and_no_offer(bench: Bench, days: float) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(takeover_after=0)
    claim = agent.claim()
    bench.clock.jump(days)
    bench.tick(50)
    assert agent.beat(claim).cancel is None
    bench.clock.jump(days)
    bench.tick(80)
    assert bench.loop(0).state == "running"
    agent.commit(claim)
    bench.settle()
    bench.clock.jump(days)
    bench.tick()
    assert other.poll() is None, "the job is kept for the holder of its checkpoint"
    assert agent.claim().job == "digits/1"


@pytest.mark.parametrize("days", [-400, 400])
def test_the_wall_clock_sends_no_agent_away(bench: Bench, days: float) -> None:
    agent = bench.agent()
    bench.create()
    bench.clock.jump(days)
    assert bench.show().waits_for == ""
    (view,) = bench.run(bench.platform.agents).agents
    assert view.last_contact_at == timestamp(bench.clock.now()), agent.name
    bench.tick(91)
    assert bench.show().waits_for != ""
    (view,) = bench.run(bench.platform.agents).agents
    assert view.last_contact_at == timestamp(bench.clock.now() - timedelta(seconds=91))


@pytest.mark.parametrize("days", [-400, 400])
def test_contacts_are_written_however_the_wall_clock_is_set(bench: Bench, days: float) -> None:
    agent = bench.agent()
    claiming = bench.platform.claiming
    bench.clock.jump(days)
    bench.clock.advance(200)
    assert claiming.take_contacts() == {}
    agent.poll()
    bench.clock.advance(101)
    called = claiming.take_contacts()
    assert called == {agent.agent_id: bench.clock.now() - timedelta(seconds=101)}


def test_the_oldest_job_goes_first_though_the_wall_clock_was_set_back(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(name="older", pool=20)
    bench.clock.jump(-400)
    bench.create(name="newer", pool=20)
    ran = bench.run_loops(agent)
    assert [job.split(" ")[0] for job in ran[:4]] == ["older/0", "newer/0", "older/1", "newer/1"]


def test_the_oldest_job_goes_first_though_the_hub_restarts_with_another_clock(
    bench: Bench,
) -> None:
    agent = bench.agent()
    bench.create(name="older", pool=20)
    bench.clock.jump(-400)
    bench.restart_hub()
    agent.register()
    bench.create(name="newer", pool=20)
    assert agent.claim().job == "older/0"
