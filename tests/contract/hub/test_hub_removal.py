"""An agent that is gone for good is forgotten; one that comes back begins anew."""

import pytest

from alectio_agent.hub.experiments.contacts import Contacts
from alectio_agent.wire.operation import AgentView
from tests.support.benches import Bench, BenchAgent, refused
from tests.support.clocks import FakeClock


def remove(bench: Bench, agent: BenchAgent, *, is_forced: bool = False) -> AgentView:
    view: AgentView = bench.run(
        lambda tx: bench.platform.remove_agent(tx, agent.agent_id, is_forced=is_forced)
    )
    return view


def listed(bench: Bench) -> list[str]:
    return [view.name for view in bench.run(bench.platform.agents).agents]


def test_it_is_listed_no_more_and_its_name_stays_with_its_loops(bench: Bench) -> None:
    first, _ = bench.agent("first"), bench.agent("second")
    bench.create()
    first.commit(first.start())
    bench.settle()
    assert remove(bench, first).name == "first"
    assert listed(bench) == ["second"]
    assert bench.loop(0).agent == "first"
    history = bench.run(lambda tx: bench.platform.history(tx, "digits"))
    assert "first" in str(history["loops"][0])


def test_a_job_that_waited_for_its_checkpoint_is_open_to_others_at_once(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    bench.create(affinity_timeout="30 d")
    first.commit(first.start())
    bench.settle()
    assert second.poll() is None
    remove(bench, first)
    claim = second.poll()
    assert claim is not None
    assert claim.steps[0].payload.resume_from is None


@pytest.mark.parametrize("silent_s", [0, 90])
def test_one_that_holds_a_good_lease_stays(bench: Bench, silent_s: int) -> None:
    agent = bench.agent("busy")
    bench.create()
    claim = agent.start()
    bench.tick(silent_s)
    with refused("conflict") as caught:
        remove(bench, agent)
    assert "has a job in hand (loop 0)" in caught.value.message
    assert listed(bench) == ["busy"]
    agent.beat(claim)


@pytest.mark.parametrize(("silent_s", "is_forced"), [(91, False), (0, True)])
def test_its_job_is_offered_to_others_and_the_first_commit_counts(
    bench: Bench, silent_s: int, is_forced: bool
) -> None:
    """It may only have been offline, and its ten hours of training are no waste."""
    agent, other = bench.agent("gone"), bench.agent("other")
    bench.create()
    old = agent.start()
    bench.tick(silent_s)
    remove(bench, agent, is_forced=is_forced)
    new = other.start()
    assert (new.job, new.attempt) == (old.job, 2)
    agent.commit(old, "train")
    with refused("lease-lost"):
        other.beat(new)


def test_a_claim_that_was_never_started_goes_back(bench: Bench) -> None:
    agent, other = bench.agent("gone"), bench.agent("other")
    bench.create()
    claimed = agent.claim()
    remove(bench, agent, is_forced=True)
    assert other.start().job == claimed.job


def test_one_that_comes_back_is_unknown_and_registers_as_a_new_agent(bench: Bench) -> None:
    agent = bench.agent("back")
    bench.create()
    before = agent.agent_id
    remove(bench, agent)
    with refused("unknown-agent"):
        agent.poll()
    agent.register()
    assert agent.agent_id != before
    assert agent.start().job == "digits/0"
    assert listed(bench) == ["back"]


def test_it_is_unknown_to_the_next_process_of_the_hub_too(bench: Bench) -> None:
    agent = bench.agent("back")
    remove(bench, agent)
    bench.restart_hub()
    with refused("unknown-agent"):
        agent.poll()
    assert listed(bench) == []
    agent.restart()
    assert listed(bench) == ["back"]


def test_one_that_is_not_there_is_not_removed(bench: Bench) -> None:
    agent = bench.agent("once")
    remove(bench, agent)
    with refused("not-found"):
        remove(bench, agent)


def test_how_long_it_is_silent_is_told_by_the_hubs_own_clock(bench: Bench) -> None:
    bench.agent("seen")
    bench.tick(7)
    assert bench.run(bench.platform.agents).agents[0].silent_s == pytest.approx(7, abs=1)
    bench.restart_hub()
    assert bench.run(bench.platform.agents).agents[0].silent_s is None


def test_contacts_of_a_removed_agent_are_forgotten() -> None:
    contacts = Contacts(FakeClock())
    contacts.note("a")
    contacts.forget("a")
    assert not contacts.has_called("a")
