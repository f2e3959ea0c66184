"""Registration: the same installation is the same agent, and only its newest life counts."""

from alectio_agent.wire.agents import Registration
from tests.support.benches import Bench, refused


def test_the_same_installation_keeps_its_id(bench: Bench) -> None:
    agent = bench.agent()
    first = agent.agent_id
    assert agent.restart(name="renamed").agent_id == first
    assert bench.agent("other").agent_id != first
    listed = bench.run(bench.platform.agents).agents
    assert [(view.name, view.pipelines) for view in listed] == [
        ("other", ["digits"]), ("renamed", ["digits"]),
    ]  # fmt: skip


def test_the_answer_tells_the_platform_and_its_numbers(bench: Bench) -> None:
    said = Registration.model_validate(bench.agent().said)
    answer = bench.run(lambda tx: bench.platform.register(tx, said))
    assert answer.platform_id == bench.run(bench.platform.platform_id)
    assert (answer.lease_s, answer.poll_wait_s) == (90, 20)
    assert (answer.protocol.min, answer.protocol.max) == (1, 1)


def test_a_lower_boot_count_is_superseded(bench: Bench) -> None:
    agent = bench.agent().restart()
    with refused("superseded-boot"):
        agent.register(boot={"count": 1, "id": "boot-gpu01-1"})


def test_the_same_boot_count_with_another_id_is_superseded(bench: Bench) -> None:
    """Two copies of one state folder: both count alike, only one may go on."""
    agent = bench.agent()
    with refused("superseded-boot"):
        agent.register(boot={"count": 1, "id": "a-twin"})


def test_the_same_boot_may_register_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.claim()
    agent.register(holding=[claim.lease])
    assert agent.poll(seq=1) == claim


def test_a_late_copy_of_a_registration_takes_no_job_away(bench: Bench) -> None:
    """Something on the way sent it again: it says nothing of what was claimed after it."""
    agent, other = bench.agent(seq=0), bench.agent("other")
    bench.create()
    claim = agent.start()
    agent.register(holding=[], seq=0)
    assert other.poll() is None
    agent.commit(claim)


def test_a_claim_whose_answer_got_lost_waits_for_its_agent_to_ask_again(bench: Bench) -> None:
    """Registering in between does not take it away: the same poll is answered with it."""
    agent, other = bench.agent(seq=0), bench.agent("other")
    bench.create()
    claim = agent.claim()
    agent.register(holding=[], seq=0)
    assert other.poll() is None
    assert agent.poll(seq=1) == claim


def test_a_new_boot_counts_its_polls_from_one(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.claim(seq=9)
    assert agent.restart().poll(seq=1) is not None


def test_what_was_claimed_and_never_started_returns_at_registration(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    claim = agent.claim()
    agent.restart()
    assert other.claim().attempt == 2
    with refused("lease-lost"):
        agent.beat(claim)


def test_a_new_boot_that_no_longer_has_a_job_gives_it_back_whatever_it_counted(
    bench: Bench,
) -> None:
    agent, other = bench.agent(seq=0), bench.agent("other")
    bench.create()
    agent.claim()
    agent.restart(seq=0)
    assert other.claim().attempt == 2


def test_a_claim_that_is_held_stays_at_registration(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    claim = agent.claim()
    agent.restart(holding=[claim.lease])
    assert other.poll() is None
    agent.beat(claim)


def test_a_started_job_that_its_agent_no_longer_has_is_available_at_once(bench: Bench) -> None:
    """Its journal is gone, so that waiting for its lease would be waiting for nobody."""
    agent = bench.agent()
    bench.create()
    agent.start()
    again = agent.restart().claim()
    assert again.attempt == 2


def test_a_restarted_agent_keeps_the_lease_that_it_holds(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(takeover_after=0)
    claim = agent.start()
    bench.clock.advance(89)
    agent.restart(holding=[claim.lease])
    bench.tick(89)
    assert bench.agent("other").poll() is None
    agent.beat(claim)
    agent.commit(claim)


def test_leaving_returns_what_was_never_started(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    agent.claim()
    agent.leave()
    assert other.poll() is not None


def test_leaving_keeps_what_was_started(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    claim = agent.start()
    agent.leave()
    assert other.poll() is None
    agent.commit(claim)


def test_a_refused_registration_changes_nothing(bench: Bench) -> None:
    agent = bench.agent().restart()
    bench.create()
    agent.claim()
    with refused("superseded-boot"):
        agent.register(boot={"count": 1, "id": "old"}, pipelines=[])
    assert bench.run(bench.platform.agents).agents[0].pipelines == ["digits"]


def test_the_last_contact_of_an_agent_is_its_last_call(bench: Bench) -> None:
    agent = bench.agent()
    bench.clock.advance(60)
    agent.poll()
    view = bench.run(bench.platform.agents).agents[0]
    assert view.registered_at == "2026-01-01T00:00:00.000Z"
    assert view.last_contact_at == "2026-01-01T00:01:00.000Z"


def test_an_agent_may_have_nothing_to_offer(bench: Bench) -> None:
    agent = bench.agent(pipelines=[])
    bench.agent("other")
    bench.create()
    assert agent.poll() is None
    assert bench.run(bench.platform.agents).agents[0].pipelines == []
