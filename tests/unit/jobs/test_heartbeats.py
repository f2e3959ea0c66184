"""Leases are kept alive."""

import random

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs.disk_trouble import AGAIN_S
from alectio_agent.agent.jobs.heartbeats import Heartbeats
from alectio_agent.core.errors import (
    LeaseLostError,
    NotAuthorizedError,
    PlatformUnavailableError,
    StoreFullError,
)
from alectio_agent.wire.results import HeartbeatAnswer
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock
from tests.support.platforms import FakePlatform


class HighestJitter(random.Random):
    """Always draws the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


def make(rng: random.Random | None = None) -> tuple[Heartbeats, FakePlatform, FakeClock]:
    platform, clock = FakePlatform(), FakeClock()
    return Heartbeats(platform, clock, Backoff(rng or random.Random(1))), platform, clock


def test_a_lease_is_beaten_three_times_in_its_length() -> None:
    heartbeats, platform, clock = make()
    heartbeats.hold(make_claim(), lambda *_: None)
    beats = 0
    while clock.monotonic() < 90:
        clock.advance(heartbeats.step())
        beats = len(platform.calls)
    assert beats == 2
    heartbeats.step()
    assert len(platform.calls) == 3


def test_a_failed_beat_comes_again_within_a_sixth_whatever_the_platform_asks() -> None:
    heartbeats, platform, clock = make()
    heartbeats.hold(make_claim(), lambda *_: None)
    clock.advance(30)
    platform.say("beat", PlatformUnavailableError("busy", retry_after_s=3600))
    assert heartbeats.step() == 15


def test_beats_that_fail_again_and_again_come_within_a_sixth_too() -> None:
    """Six tries fit into a lease, however long the platform has been silent."""
    heartbeats, platform, clock = make(HighestJitter())
    heartbeats.hold(make_claim(), lambda *_: None)
    clock.advance(30)
    platform.go_away(*["beat"] * 8)
    waits = []
    for _ in range(8):
        waits.append(heartbeats.step())
        clock.advance(waits[-1])
    assert waits == [1, 2, 4, 8, 15, 15, 15, 15]


def test_a_refused_token_does_not_slow_beats_down() -> None:
    """The lease must not run out while somebody mends the token."""
    heartbeats, platform, clock = make(HighestJitter())
    heartbeats.hold(make_claim(), lambda *_: None)
    clock.advance(30)
    platform.say("beat", *[NotAuthorizedError("expired", problem="expired")] * 9)
    waits = []
    for _ in range(9):
        waits.append(heartbeats.step())
        clock.advance(waits[-1])
    assert max(waits) == 15


def test_why_beats_do_not_arrive_is_told_after_three() -> None:
    heartbeats, platform, clock = make()
    heartbeats.hold(make_claim(), lambda *_: None)
    clock.advance(30)
    platform.go_away(*["beat"] * 3)
    told = []
    for _ in range(4):
        clock.advance(heartbeats.step())
        told.append(heartbeats.trouble)
    assert told == ["", "", "no answer", ""]


def after_an_outage() -> tuple[Heartbeats, FakePlatform, FakeClock]:
    heartbeats, platform, clock = make()
    heartbeats.hold(make_claim(), lambda *_: None)
    clock.advance(30)
    platform.go_away(*["beat"] * 3)
    for _ in range(3):
        clock.advance(heartbeats.step())
    return heartbeats, platform, clock


def test_a_released_lease_leaves_no_trouble() -> None:
    heartbeats, _, _ = after_an_outage()
    heartbeats.release(make_claim().lease)
    assert heartbeats.trouble == ""


def test_the_first_beat_of_the_next_job_ends_the_trouble_of_the_last() -> None:
    heartbeats, _, _ = after_an_outage()
    heartbeats.release(make_claim().lease)
    heartbeats.first_beat(make_claim())
    heartbeats.hold(make_claim(), lambda *_: None)
    assert heartbeats.trouble == ""


def test_beats_that_fail_for_hours_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """One comes every 15 s: a night without the platform would be 3,000 lines."""
    heartbeats, platform, clock = make()
    heartbeats.hold(make_claim(), lambda ending, reason: None)
    clock.advance(30)
    platform.say("beat", *[PlatformUnavailableError("down") for _ in range(50)])
    for _ in range(50):
        clock.advance(heartbeats.step())
    assert [line for line in caplog.messages if "heartbeat" in line] == ["digits/1 heartbeat: down"]


def test_a_lease_of_no_length_is_not_beaten_without_a_pause() -> None:
    heartbeats, _platform, clock = make()
    heartbeats.set_lease(0)
    heartbeats.hold(make_claim(), lambda *_: None)
    clock.advance(heartbeats.step())
    assert heartbeats.step() > 0.3


def test_a_lost_lease_is_told_once_and_beaten_no_more() -> None:
    heartbeats, platform, clock = make()
    told = []
    heartbeats.hold(make_claim(), lambda *what: told.append(what))
    clock.advance(30)
    platform.say("beat", LeaseLostError("gone"))
    heartbeats.step()
    clock.advance(300)
    heartbeats.step()
    assert told == [("lost", "gone")]
    assert len(platform.calls) == 1


def test_a_cancel_comes_with_the_answer_to_a_beat() -> None:
    heartbeats, platform, clock = make()
    told = []
    heartbeats.hold(make_claim(), lambda *what: told.append(what))
    clock.advance(30)
    platform.say("beat", HeartbeatAnswer(cancel="no longer needed"))
    heartbeats.step()
    assert told == [("cancelled", "no longer needed")]


def test_beats_go_on_while_only_messages_are_left() -> None:
    heartbeats, platform, clock = make()
    heartbeats.hold(make_claim(), lambda *_: None)
    heartbeats.deliver("lease-1")
    clock.advance(30)
    heartbeats.step()
    assert platform.calls == [("beat", "lease-1", "delivering")]


def test_without_leases_nothing_is_sent() -> None:
    heartbeats, platform, _ = make()
    assert heartbeats.step() == 3600
    assert platform.calls == []


def test_a_lease_released_while_its_beat_was_under_way_is_not_told() -> None:
    heartbeats, platform, clock = make()
    told = []
    heartbeats.hold(make_claim(), lambda *what: told.append(what))
    clock.advance(30)

    def settled_meanwhile():
        heartbeats.release("lease-1")
        raise LeaseLostError("the job is done")

    platform.say("beat", settled_meanwhile)
    heartbeats.step()
    assert told == []


@pytest.mark.parametrize("problem", ["revoked", "forbidden"])
def test_a_verdict_that_ends_the_agent_is_told_while_a_job_runs(problem: str) -> None:
    heartbeats, platform, clock = make()
    told = []
    heartbeats.on_fatal = told.append
    heartbeats.hold(make_claim(), lambda *_: None)
    clock.advance(30)
    platform.say("beat", NotAuthorizedError("no", problem=problem))
    heartbeats.step()
    assert [error.problem for error in told] == [problem]


def test_a_closed_job_ends_the_beats_of_what_is_only_delivered_and_nothing_else() -> None:
    """Its last commit may have closed it, though the answer was lost: the commit itself tells."""
    heartbeats, platform, clock = make()
    ended: list[tuple[str, str]] = []
    heartbeats.hold(make_claim(), lambda *told: ended.append(told))
    heartbeats.deliver("lease-1")
    clock.advance(30)
    platform.say("beat", LeaseLostError("closed", problem="job-closed"))
    heartbeats.step()
    assert ended == []
    assert not heartbeats.holds("lease-1")


def test_a_lost_lease_is_believed_only_when_it_is_known_who_says_so() -> None:
    heartbeats, platform, clock = make()
    ended: list[tuple[str, str]] = []
    heartbeats.hold(make_claim(), lambda *told: ended.append(told))

    def deny() -> None:
        raise PlatformUnavailableError("another platform", silence="foreign")

    heartbeats.confirm = deny
    clock.advance(30)
    platform.say("beat", *[LeaseLostError("unknown")] * 3)
    assert 0 < heartbeats.step() <= 15
    assert ended == []
    with pytest.raises(PlatformUnavailableError):
        heartbeats.first_beat(make_claim())
    heartbeats.confirm = lambda: None
    clock.advance(15)
    heartbeats.step()
    assert ended == [("lost", "unknown")]


def test_leases_of_another_platform_wait_until_it_answers_again() -> None:
    heartbeats, platform, clock = make()
    heartbeats.set_platform("platform-1")
    heartbeats.hold(make_claim(), lambda *_: None)
    heartbeats.set_platform("platform-2")
    clock.advance(500)
    assert heartbeats.step() > 1000
    assert platform.calls == []
    assert (heartbeats.serves("platform-1"), heartbeats.serves("platform-2")) == (False, True)
    heartbeats.set_platform("platform-1")
    heartbeats.step()
    assert [call[1] for call in platform.calls] == ["lease-1"]


def test_a_lost_lease_that_cannot_be_noted_down_is_heard_of_again() -> None:
    heartbeats, platform, clock = make()
    told = []

    def end(ending: str, _: str) -> None:
        told.append(ending)
        if len(told) < 3:
            raise StoreFullError("no room")

    heartbeats.hold(make_claim(), end)
    clock.advance(30)
    platform.say("beat", *[LeaseLostError("taken over")] * 3)
    waits = []
    for _ in range(3):
        waits.append(heartbeats.step())
        clock.advance(waits[-1])
    assert told == ["lost"] * 3
    assert waits == [AGAIN_S, AGAIN_S, 3600]
    assert heartbeats.disk_trouble.text == ""
