"""Leases: counted in beats, by the hub's own clock; the first commit wins."""

import pytest

from tests.support.benches import Bench, refused

HOUR = 3600.0


def test_a_claim_that_is_never_started_returns_after_a_minute(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    claim = agent.claim()
    bench.tick(60)
    assert other.poll() is None
    bench.tick(1)
    assert other.claim().attempt == 2
    with refused("lease-lost"):
        agent.beat(claim)


def test_a_restarted_hub_gives_a_claim_a_fresh_minute(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create()
    agent.claim()
    bench.tick(59)
    bench.restart_hub()
    bench.tick(59)
    assert other.poll() is None
    bench.tick(61)
    assert other.poll() is not None


def test_the_first_beat_is_durable_and_later_ones_are_not(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.claim()
    before = bench.store.commits
    agent.beat(claim)
    agent.beat(claim)
    agent.beat(claim)
    assert bench.store.commits == before + 1
    assert bench.loop(0).state == "running"


def test_a_beat_of_an_unknown_lease_or_job_is_lost(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.claim()
    with refused("lease-lost"):
        agent.beat(claim.model_copy(update={"lease": "nobody"}))
    with refused("lease-lost"):
        agent.beat(claim.model_copy(update={"job_id": "nothing"}))


def test_a_lease_that_is_beaten_never_runs_out(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(takeover_after=0)
    claim = agent.start()
    for _ in range(20):
        bench.tick(30)
        agent.beat(claim)
    assert other.poll() is None


def test_a_job_whose_lease_ran_out_is_offered_elsewhere_after_the_takeover_time(
    bench: Bench,
) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(takeover_after=600)
    agent.start()
    bench.tick(690)
    assert other.poll() is None
    bench.tick(1)
    assert other.claim().attempt == 2


def test_the_takeover_time_is_an_hour_unless_the_last_loop_took_long(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.start()
    bench.tick(90 + HOUR)
    assert bench.loop(0).state == "running"
    bench.tick(1)
    assert bench.loop(0).state == "available"


def test_the_takeover_time_is_twice_the_last_loop_when_that_is_longer(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    agent.commit(agent.start(), duration_s=HOUR)
    bench.settle()
    agent.start()
    bench.tick(90 + 6 * HOUR)
    assert bench.loop(1).state == "running"
    bench.tick(1)
    assert bench.loop(1).state == "available"


def test_a_restarted_hub_gives_every_lease_a_fresh_period(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(takeover_after=0)
    agent.start()
    bench.tick(89)
    bench.restart_hub()
    bench.tick(89)
    assert bench.loop(0).state == "running"
    bench.tick(91)
    assert bench.loop(0).state == "available"


def test_a_late_beat_takes_a_job_back_that_nobody_claimed_meanwhile(bench: Bench) -> None:
    agent, other = bench.agent(), bench.agent("other")
    bench.create(takeover_after=0)
    claim = agent.start()
    bench.tick(91)
    assert bench.loop(0).state == "available"
    agent.beat(claim)
    assert bench.loop(0).state == "running"
    assert other.poll() is None


@pytest.fixture
def two(bench: Bench):
    """An agent whose lease ran out, and another that has the job now."""
    slow, quick = bench.agent("slow"), bench.agent("quick")
    bench.create(takeover_after=0)
    old = slow.start()
    bench.tick(91)
    new = quick.start()
    return slow, old, quick, new


def test_a_lease_stays_good_until_another_attempt_commits(bench: Bench, two) -> None:
    slow, old, quick, new = two
    assert slow.beat(old).cancel is None
    quick.commit(new, "train")
    with refused("lease-lost"):
        slow.beat(old)
    with refused("lease-lost"):
        slow.commit(old, "train")


def test_the_first_commit_wins_also_for_the_older_attempt(bench: Bench, two) -> None:
    """Ten hours of training are not thrown away because the network was down for one."""
    slow, old, quick, new = two
    slow.commit(old, "train")
    with refused("lease-lost"):
        quick.beat(new)
    with refused("lease-lost"):
        quick.commit(new, "train")
    slow.commit(old, "test", "infer")
    view = bench.loop(0)
    assert (view.state, view.agent) == ("done", "slow")


def test_the_winner_has_the_job_whatever_became_of_the_newer_attempt(bench: Bench, two) -> None:
    slow, old, quick, new = two
    quick.fail(new, "user_code")
    assert bench.show().state == "waiting"
    slow.commit(old, "train")
    view = bench.show()
    assert (view.state, view.reason, view.loops[0].state) == ("running", "", "running")


def test_a_failure_of_the_older_attempt_leaves_the_newer_alone(bench: Bench, two) -> None:
    slow, old, quick, new = two
    slow.fail(old, "user_code")
    assert bench.show().state == "running"
    quick.commit(new)
    assert bench.loop(0).agent == "quick"


def test_an_attempt_that_is_no_longer_the_newest_is_not_given_again(bench: Bench, two) -> None:
    slow, _, _, _ = two
    assert slow.poll(seq=1) is None


def test_an_agent_that_comes_back_without_an_older_attempt_disturbs_nobody(
    bench: Bench, two
) -> None:
    slow, _, quick, new = two
    slow.restart()
    assert slow.poll() is None
    quick.commit(new)
    assert bench.loop(0).state == "done"


def test_a_refusal_of_an_attempt_that_is_no_longer_the_newest_disturbs_nobody(
    bench: Bench, two
) -> None:
    slow, _, quick, new = two
    slow.poll(seq=2, refused={"seq": 1, "reason": "no"})
    assert bench.show().state == "running"
    quick.commit(new)


def test_a_job_that_the_newer_attempt_gave_back_is_the_older_ones_again(bench: Bench, two) -> None:
    """It has been at it all the time: a third agent need not begin from nothing."""
    slow, old, quick, new = two
    quick.fail(new, "interrupted")
    assert bench.loop(0).state == "available"
    slow.beat(old)
    view = bench.loop(0)
    assert (view.state, view.agent) == ("running", "slow")
    assert bench.agent("third").poll() is None
    with refused("lease-lost"):
        quick.beat(new)
    slow.commit(old)
    assert bench.loop(0).state == "done"


def test_a_newer_attempt_that_only_fell_silent_keeps_the_job_open(bench: Bench, two) -> None:
    slow, old, quick, new = two
    bench.tick(91)
    assert bench.loop(0).state == "available"
    slow.beat(old)
    assert bench.loop(0).state == "available"
    quick.beat(new)
    assert (bench.loop(0).state, bench.loop(0).agent) == ("running", "quick")


def test_messages_that_come_again_after_a_takeover_change_nothing(bench: Bench, two) -> None:
    """The answers got lost, and the agent that lost the job sends everything once more."""
    slow, old, quick, _ = two
    slow.commit(old, "train")
    bench.tick(91)
    third = quick.start()
    quick.commit(third, "train", duration_s=20)
    slow.commit(old, "train")
    assert bench.loop(0).seconds == {"train": 20}
    for late in (
        lambda: slow.commit(old, "test"),
        lambda: slow.fail(old, "user_code"),
        lambda: slow.beat(old),
    ):
        with refused("lease-lost"):
            late()
    assert bench.show().state == "running"
    quick.commit(third, "test", "infer")
    assert bench.loop(0).seconds == {"train": 20, "test": 1.5, "infer": 1.5}


def test_an_attempt_that_ended_takes_no_further_message(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    done = agent.start()
    agent.commit(done)
    with refused("lease-lost"):
        agent.fail(done, "crash")
    bench.settle()
    failed = agent.start()
    agent.fail(failed, "crash")
    with refused("lease-lost"):
        agent.commit(failed, "train")
    assert bench.loop(1).state == "available"


def test_an_older_claim_that_returns_disturbs_nobody(bench: Bench) -> None:
    """It was issued, taken over without a beat, and its agent comes back."""
    slow, quick = bench.agent("slow"), bench.agent("quick")
    bench.create(takeover_after=0)
    old = slow.start()
    bench.tick(91)
    new = quick.claim()
    slow.commit(old, "train")
    quick.restart()
    assert quick.poll() is None
    with refused("lease-lost"):
        quick.beat(new)
    slow.commit(old, "test", "infer")


def test_an_earlier_commit_does_not_protect_from_a_newer_attempt(bench: Bench) -> None:
    """What A committed before B was issued counts until B's first commit, then it is void."""
    slow, quick = bench.agent("slow"), bench.agent("quick")
    bench.create(takeover_after=0)
    old = slow.start()
    slow.commit(old, "train", duration_s=10)
    bench.tick(91)
    new = quick.start()
    assert [order.step for order in new.steps] == ["train", "test", "infer"]
    assert new.steps[0].payload.ckpt_file == "digits-ckpt_0-a2"
    assert bench.loop(0).seconds == {"train": 10}
    quick.commit(new, "train", duration_s=20)
    assert bench.loop(0).seconds == {"train": 20}
    quick.commit(new, "test", "infer")
    bench.settle()
    assert slow.poll() is None, "the checkpoint of the attempt that lost is of no use"
    assert quick.claim().steps[0].payload.resume_from == "digits-ckpt_0-a2"


def test_beats_of_a_done_job_hear_that_it_is_closed(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.commit(claim)
    with refused("job-closed"):
        agent.beat(claim, state="delivering")


def test_no_late_beat_revives_a_lease_that_a_failure_voided(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    agent.fail(claim, "interrupted")
    with refused("lease-lost"):
        agent.beat(claim)


def test_a_cancelled_experiment_cancels_its_job_with_the_next_beat(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    claim = agent.start()
    bench.run(lambda tx: bench.platform.cancel(tx, "digits"))
    assert agent.beat(claim).cancel == "experiment `digits` was cancelled"
    agent.fail(claim, "cancelled")
    with refused("job-closed"):
        agent.beat(claim)
    assert bench.show().state == "cancelled"
    assert agent.poll() is None


def test_the_platform_says_when_there_is_no_clock_to_look_at(bench: Bench) -> None:
    agent = bench.agent()
    bench.create()
    bench.tick()
    assert not bench.platform.may_have_claims
    claim = agent.start()
    bench.tick()
    assert bench.platform.may_have_claims
    agent.commit(claim)
    bench.tick()
    assert not bench.platform.may_have_claims


def test_a_restarted_hub_looks_at_the_clock_at_least_once(bench: Bench) -> None:
    bench.restart_hub()
    assert bench.platform.may_have_claims
