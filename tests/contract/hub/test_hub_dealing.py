"""Agents that wait in line, and the look that gives them jobs: who comes first, what it costs."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Connection, update

from alectio_agent.core.errors import StoreBusyError
from alectio_agent.hub.api.dealer import Dealer
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.api.steering_calls import SteeringCalls
from alectio_agent.hub.experiments.dealing import MOST_DEALT, Deal
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.experiments.selection_worker import SelectionWorker
from alectio_agent.hub.store.tables import agents
from alectio_agent.wire.claims import ClaimRequest
from tests.support.benches import Bench, BenchAgent, make_settings, refused

HOUR = 3600.0


def wait(bench: Bench, agent: BenchAgent, *free: str) -> Poll:
    """A poll of an agent that stands in line; the hub has heard of the agent before."""
    return agent.wait(*free)


def deal(bench: Bench) -> Deal:
    return bench.run(bench.platform.claiming.deal)


def make_dealer(bench: Bench, store: object) -> Dealer:
    dealer = Dealer(cast(Any, store), bench.platform.claiming, bench.clock)
    dealer._is_deaf = False  # it would listen in a running event loop
    return dealer


def deal_with_selections(bench: Bench, store: object) -> None:
    """As in a hub that runs: whoever waits has a job with the commit of its selection."""
    write = make_dealer(bench, store).write
    bench.worker = SelectionWorker(cast(Any, bench.store), bench.platform, bench.analysis, write)


def create(bench: Bench, *names: str, **changed: object) -> None:
    for name in names:
        bench.create(name=name, **changed)


def got(*polls: Poll) -> list[str | None]:
    return [None if poll.claim is None else poll.claim.experiment for poll in polls]


def waiting(bench: Bench, count: int) -> list[Poll]:
    """Polls of so many agents, a second apart."""
    polls = []
    for at in range(count):
        polls.append(wait(bench, bench.agent(f"gpu{at}")))
        bench.clock.advance(1)
    return polls


def test_one_job_wakes_one_agent_the_one_that_waits_longest(bench: Bench) -> None:
    polls = waiting(bench, 3)
    create(bench, "digits")
    dealt = deal(bench)
    assert got(*polls) == ["digits", None, None]
    assert [poll for poll, _ in dealt.dealt] == polls[:1]
    assert len(bench.platform.claiming.polls) == 2


def test_jobs_go_in_their_order_to_agents_in_theirs(bench: Bench) -> None:
    polls = waiting(bench, 3)
    create(bench, "first", "second")
    deal(bench)
    assert got(*polls) == ["first", "second", None]


def test_an_agent_keeps_its_place_from_poll_to_poll(bench: Bench) -> None:
    """A poll ends after 20 s: whoever asks again must not stand at the end of the line."""
    first, second = bench.agent("first"), bench.agent("second")
    early = wait(bench, first)
    bench.clock.advance(10)
    other = wait(bench, second)
    bench.clock.advance(10)
    bench.platform.claiming.polls.leave(early)
    bench.clock.advance(1)
    again = wait(bench, first)
    create(bench, "digits")
    deal(bench)
    assert got(again, other) == ["digits", None]


def test_an_agent_that_got_a_job_begins_to_wait_anew(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    wait(bench, first)
    bench.clock.advance(10)
    other = wait(bench, second)
    create(bench, "digits")
    deal(bench)
    first.seq += 1
    again = wait(bench, first)
    create(bench, "letters")
    deal(bench)
    assert got(other, again) == ["letters", None]


def test_an_agent_that_was_away_begins_to_wait_anew(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    bench.platform.claiming.polls.leave(wait(bench, first))
    bench.clock.advance(50)
    other = wait(bench, second)
    bench.clock.advance(50)
    back = wait(bench, first)
    create(bench, "digits")
    deal(bench)
    assert got(other, back) == ["digits", None]


def test_a_job_goes_to_the_holder_of_its_checkpoint_however_long_others_wait(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    bench.create()
    first.commit(first.start())
    other = wait(bench, second)
    bench.clock.advance(10)
    holder = wait(bench, first)
    bench.settle()
    deal(bench)
    assert got(other, holder) == [None, "digits"]


def test_a_look_says_when_a_job_that_is_kept_opens_to_all(bench: Bench) -> None:
    """Nothing is written at that moment, so that a timer must ask for the look."""
    first, second = bench.agent("first"), bench.agent("second")
    bench.create()
    first.commit(first.start())
    other = wait(bench, second)
    bench.settle()
    assert deal(bench).opens_at == pytest.approx(bench.clock.monotonic() + HOUR)
    bench.clock.advance(HOUR)
    bench.platform.claiming.stir()
    deal(bench)
    assert got(other) == ["digits"]


def test_a_claim_that_was_never_started_goes_to_an_agent_that_waits(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    bench.create()
    first.claim()
    other = wait(bench, second)
    bench.tick(61)
    assert bench.platform.claiming.may_deal
    deal(bench)
    assert got(other) == ["digits"]


def test_the_job_of_a_silent_agent_goes_to_an_agent_that_waits(bench: Bench) -> None:
    first, second = bench.agent("first"), bench.agent("second")
    bench.create()
    first.start()
    bench.tick(90 + HOUR - 1)
    other = wait(bench, second)
    deal(bench)
    assert got(other) == [None]
    bench.tick(2)
    deal(bench)
    assert got(other) == ["digits"]


def test_an_agent_gets_only_jobs_of_pipelines_that_it_has_free(bench: Bench) -> None:
    poll = wait(bench, bench.agent(), "letters")
    create(bench, "digits")
    deal(bench)
    assert got(poll) == [None]


def test_a_poll_that_finds_nothing_neither_writes_nor_looks(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.agent("other").claim()
    assert agent.poll() is None
    before = bench.store.commits
    with bench.store.counting() as statements:
        for _ in range(5):
            assert agent.poll() is None
    assert (statements, bench.store.commits) == ([], before)


def test_a_job_that_an_agent_may_not_have_is_looked_at_once(bench: Bench) -> None:
    """Else each poll of thousands of agents would look at all jobs that are kept for others."""
    first, second = bench.agent("first"), bench.agent("second")
    bench.create()
    first.commit(first.start())
    bench.settle()
    assert second.poll() is None
    with bench.store.counting() as statements:
        assert second.poll() is None
    assert statements == []


def test_a_look_without_a_job_costs_no_statement(bench: Bench) -> None:
    polls = waiting(bench, 5)
    deal(bench)
    with bench.store.counting() as statements:
        assert deal(bench).dealt == []
    assert got(*polls) == [None] * 5
    assert [text for text in statements if "BEGIN" not in text] == []


def test_a_change_is_read_alone_however_many_experiments_run(bench: Bench) -> None:
    agent = bench.agent()
    bench.agent("other", pipelines=[{"name": "letters", "pool_size": 20}])
    create(bench, *(f"letters{at}" for at in range(20)), pipeline="letters")
    deal(bench)
    poll = wait(bench, agent)
    create(bench, "digits", pipeline="digits")
    with bench.store.counting() as statements:
        deal(bench)
    assert got(poll) == ["digits"]
    assert len(statements) < 20


def test_more_jobs_than_one_look_gives_out_ask_for_another(bench: Bench) -> None:
    polls = waiting(bench, MOST_DEALT + 2)
    create(bench, *(f"digits{at}" for at in range(MOST_DEALT + 1)), loops=1)
    found = deal(bench)
    assert (len(found.dealt), found.is_more) == (MOST_DEALT, True)
    found = deal(bench)
    assert (len(found.dealt), found.is_more) == (1, False)
    assert got(*polls).count(None) == 1


def test_a_selection_and_the_claim_of_its_job_are_one_commit(bench: Bench) -> None:
    agent = bench.agent("gpu")
    poll = wait(bench, agent)
    deal_with_selections(bench, bench.store)
    bench.run(lambda tx: bench.platform.create(tx, make_settings()))
    commits = bench.store.commits
    bench.settle()
    assert (got(poll), bench.store.commits - commits) == (["digits"], 1)


def test_what_a_person_starts_and_the_claim_of_its_job_are_one_commit(bench: Bench) -> None:
    agent = bench.agent("gpu")
    create(bench, "digits")
    bench.steer("pause")
    poll = wait(bench, agent)
    services = SimpleNamespace(dealer=make_dealer(bench, bench.store), platform=bench.platform)
    commits = bench.store.commits
    asyncio.run(SteeringCalls(cast(Services, services)).resume_experiment(name="digits"))
    assert (got(poll), bench.store.commits - commits) == (["digits"], 1)


def test_when_a_selection_is_undone_the_agent_that_had_its_job_waits_on(bench: Bench) -> None:
    poll = wait(bench, bench.agent("gpu"))
    bench.run(lambda tx: bench.platform.create(tx, make_settings()))

    def undo(work: Any) -> Any:
        def fail(tx: Connection) -> None:
            work(tx)
            raise StoreBusyError("locked")

        return bench.store.write(fail)

    deal_with_selections(bench, SimpleNamespace(write=undo))
    with pytest.raises(StoreBusyError):
        bench.settle()
    assert got(poll) == [None]
    deal_with_selections(bench, bench.store)
    bench.settle()
    assert got(poll) == ["digits"]


def test_a_look_that_is_undone_lets_its_agents_wait_on(bench: Bench) -> None:
    polls = waiting(bench, 2)
    create(bench, "digits")
    claiming = bench.platform.claiming
    undone: list[Deal] = []

    def fail(tx: object) -> None:
        undone.append(claiming.deal(tx))  # type: ignore[arg-type]
        raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        bench.run(fail)
    claiming.take_back(undone[0])
    assert got(*polls) == [None, None]
    deal(bench)
    assert got(*polls) == ["digits", None]


def test_an_agent_that_registers_anew_is_asked_about_its_poll_again(bench: Bench) -> None:
    agent = bench.agent()
    poll = wait(bench, agent)
    agent.restart()
    assert poll.is_doubted
    assert len(bench.platform.claiming.polls) == 0


def test_an_earlier_life_gets_no_job_though_its_poll_was_in_line(bench: Bench) -> None:
    """Registration and look may be parts of one commit, so that memory is not told yet."""
    agent = bench.agent()
    create(bench, "digits")
    poll = wait(bench, agent)
    bench.run(lambda tx: tx.execute(update(agents).values(boot_id="the-next")))
    assert deal(bench).dealt == []
    assert (poll.claim, poll.is_doubted) == (None, True)


def test_a_poll_of_an_earlier_life_that_comes_late_does_not_end_the_new_ones(bench: Bench) -> None:
    agent = bench.agent()
    late = Poll(agent.agent_id, agent.said["boot"]["id"], 9, frozenset({"digits"}))
    again = bench.agent(boot={"count": 2, "id": "second"})
    poll = wait(bench, again)
    with refused("superseded-boot"):
        bench.platform.claiming.join(late)
    create(bench, "digits")
    deal(bench)
    assert got(poll, late) == ["digits", None]


def test_a_late_copy_of_an_older_poll_ends_at_once_and_the_newer_one_waits(bench: Bench) -> None:
    agent = bench.agent()
    newer = Poll(agent.agent_id, agent.said["boot"]["id"], 2, frozenset({"digits"}))
    older = Poll(agent.agent_id, agent.said["boot"]["id"], 1, frozenset({"digits"}))
    claiming = bench.platform.claiming
    claiming.join(newer)
    claiming.join(older)
    assert older.is_settled
    create(bench, "digits")
    deal(bench)
    assert got(newer, older) == ["digits", None]


def test_a_restarted_hub_knows_its_agents_before_they_register_again(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.claim()
    bench.restart_hub()
    assert agent.poll(seq=agent.seq) == claim
    claiming = bench.platform.claiming
    assert agent.poll() is None

    def is_plain(**changed: object) -> bool:
        said = {"agent_id": agent.agent_id, "boot": "boot-gpu01-1", "seq": 2, "wait_s": 0,
                "free": ["digits"]}  # fmt: skip
        return claiming.is_plain(ClaimRequest.model_validate(said | changed))

    assert is_plain()
    assert not is_plain(seq=1)
    assert not is_plain(boot="boot-gpu01-0")
    assert not is_plain(agent_id="nobody")
    assert not is_plain(refused={"seq": 1, "reason": "drift"})


def test_polls_are_stretched_when_there_are_thousands_of_agents(bench: Bench) -> None:
    claiming, contacts = bench.platform.claiming, bench.platform.context.contacts
    assert claiming.poll_wait_s == 20
    for count, expected in ((5000, 20), (7500, 30), (50_000, 50)):
        for at in range(count):
            contacts.note(f"agent-{at}")
        assert claiming.poll_wait_s == expected
    bench.clock.advance(200)
    assert claiming.poll_wait_s == 20


def test_agents_that_are_alike_do_not_compare_all_experiments_again(bench: Bench) -> None:
    bench.agent("first")
    create(bench, *(f"digits{at}" for at in range(5)))
    bench.agent("second")
    with bench.store.counting() as statements:
        bench.agent("third")
    assert not any("FROM experiments" in text for text in statements)


def test_only_what_changed_is_compared_with_one_more_agent_of_the_same_kind(bench: Bench) -> None:
    """Else each of 5,000 agents that come back to a hub looks at each of 5,000 experiments."""
    bench.agent("first")
    create(bench, *(f"digits{at}" for at in range(5)))
    bench.agent("second").claim()
    with bench.store.counting() as statements:
        bench.agent("third")
    assert sum("FROM experiments" in text for text in statements) == 1
    assert "experiment_id IN" in next(text for text in statements if "FROM experiments" in text)


def test_what_all_agents_offer_is_read_once_for_many_experiments(bench: Bench) -> None:
    """Else making 5,000 experiments reads what 5,000 agents offer 5,000 times."""
    for at in range(3):
        bench.agent(f"gpu{at}")
    create(bench, "first")
    with bench.store.counting() as statements:
        create(bench, "second", "third")
        bench.settle()
    assert not any("FROM offers" in text and "agents" in text for text in statements)


def test_an_agent_with_other_samples_is_known_to_the_next_experiment(bench: Bench) -> None:
    bench.agent("small", pipelines=[{"name": "digits", "pool_size": 20}])
    create(bench, "first")
    bench.agent("other", pipelines=[{"name": "xray", "pool_size": 30}])
    create(bench, "second", pipeline="xray")
    assert (bench.show("first").pool, bench.show("second").pool) == (20, 30)


def test_contacts_are_written_together_now_and_then_so_that_a_restart_knows_them(
    bench: Bench,
) -> None:
    agents = [bench.agent(f"gpu{at}") for at in range(3)]
    claiming = bench.platform.claiming
    assert claiming.take_contacts() == {}
    bench.clock.advance(301)
    assert agents[0].poll() is None
    called = claiming.take_contacts()
    assert set(called) == {agent.agent_id for agent in agents}
    before = bench.store.commits
    bench.run(lambda tx: claiming.keep_contacts(tx, called))
    assert bench.store.commits == before + 1
    assert claiming.take_contacts() == {}
    bench.restart_hub()
    views = bench.run(bench.platform.agents).agents
    assert len({view.last_contact_at for view in views}) == 2
