"""The poll loop."""

import logging
import random
import threading
from pathlib import Path

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.hooks.steps import PartFile, StepOutcome
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.agent.loop import LOOK_AGAIN_S, PollLoop, Rooms
from alectio_agent.core.errors import (
    HookRaisedError,
    InvalidClaimError,
    LeaseLostError,
    NotAuthorizedError,
    PlatformRejectedError,
    PlatformUnavailableError,
    ProtocolMismatchError,
    StoreFullError,
    SupersededBootError,
)
from alectio_agent.wire.agents import HeldCheckpoint, PipelineOffer, Registration
from alectio_agent.wire.results import HeartbeatAnswer
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock
from tests.support.desks import make_desk
from tests.support.disks import refusing, without_room
from tests.support.hooks import FakeHooks, make_outcome
from tests.support.platforms import FakePlatform


class Bench:
    """A poll loop on fakes, in a state folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform()
        self.desk = make_desk(folder, self.platform, self.clock)
        self.hooks = FakeHooks()
        self.fatal: list[Exception] = []
        self.start()

    def start(self) -> None:
        """A new life of the agent in the same state folder."""
        wake = threading.Event()
        self.slot = Slot(self.hooks, wake.set)
        self.sender = Sender(
            self.platform,
            self.desk.journal,
            self.desk.parts,
            self.desk.heartbeats,
            self.clock,
            Backoff(random.Random(2)),
        )
        self.identity = next_boot(self.desk.disk, Path("/state"))
        self.loop = PollLoop(
            self.platform,
            Announcement(
                name="gpu01",
                version="1.0",
                tags=["a100"],
                offers={"digits": PipelineOffer(name="digits", pool_size=10)},
                checkpoints=lambda: [HeldCheckpoint(experiment="digits", name="digits-ckpt_0")],
                digest=lambda _name, _size: "d" * 64,
            ),
            self.identity,
            Rooms(self.desk, Slots([self.slot]), self.sender, self.desk.heartbeats),
            random.Random(3),
            wake,
        )
        self.loop.on_fatal = self.fatal.append

    def finish_job(self) -> None:
        while not self.slot.is_free:
            self.slot.step()

    def requests(self) -> list:
        return [call[1] for call in self.platform.calls if call[0] == "claim"]


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.desk.journal.close()


def test_it_registers_then_claims(bench: Bench) -> None:
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    registration = bench.platform.registrations[0]
    assert (registration.name, registration.tags, registration.holding) == ("gpu01", ["a100"], [])
    assert registration.checkpoints[0].name == "digits-ckpt_0"
    assert bench.slot.job == "digits/1"
    assert [job.claim.lease for job in bench.desk.journal.jobs(PLATFORM)] == ["lease-1"]


def test_what_speaks_against_a_job_is_asked_before_each_poll(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The agent registers all the same, asks for nothing, and says why once."""
    caplog.set_level(logging.INFO)
    said = ["the disk is full"]
    bench.loop.reasons = [lambda: "", lambda: said[0]]
    assert [bench.loop.step(), bench.loop.step()] == [10.0, 10.0]
    assert len(bench.platform.registrations) == 1
    assert bench.requests() == []
    assert bench.loop.held_back == "the disk is full"
    assert caplog.text.count("no job is asked for: the disk is full") == 1
    said[0] = ""
    bench.loop.step()
    assert len(bench.requests()) == 1
    assert bench.loop.held_back == ""
    assert "jobs are asked for again" in caplog.text


def test_polls_are_counted_by_what_came_of_them(bench: Bench) -> None:
    """One that this agent itself has cut is none."""
    bench.platform.claims = [make_claim()]
    for _ in range(2):
        bench.loop.step()
        bench.finish_job()
    bench.platform.say(
        "claim",
        PlatformUnavailableError("down"),
        PlatformUnavailableError("x", silence="interrupted"),
    )
    bench.loop.step()
    bench.desk.leaving.set()  # a stop cuts the held poll
    bench.loop.step()
    counters = bench.desk.counters
    assert counters.polls.amounts == {"job": 1, "empty": 1, "failed": 1}
    assert counters.retries.amounts["polls"] == 1


def test_a_refused_job_is_counted(bench: Bench) -> None:
    bench.platform.claims = [make_claim(pipeline="unknown")]
    bench.loop.step()
    assert bench.desk.counters.jobs.amounts["refused"] == 1


def test_a_poll_that_was_cut_here_is_no_trouble(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """A pause cuts it so that it takes effect at once; the next turn sees the reason."""
    paused = [""]
    bench.loop.reasons = [lambda: paused[0]]

    def cut() -> None:
        paused[0] = "paused"
        bench.clock.advance(10)
        raise PlatformUnavailableError("cut", silence="interrupted")

    bench.platform.say("claim", cut)
    assert bench.loop.step() == 0.0
    assert (bench.loop.trouble, bench.loop.failing) == ("", "")
    assert bench.loop.step() == 10.0
    assert bench.loop.held_back == "paused"
    assert "cut" not in caplog.text
    paused[0] = ""
    bench.loop.step()
    assert [request.wait_s for request in bench.requests()] == [20, 20], "the line is not blamed"


def test_a_turn_that_asks_nothing_says_nothing_of_the_platform(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """A pause during an outage was followed by `the platform answers again`."""
    paused = [""]
    bench.loop.reasons = [lambda: paused[0]]
    bench.loop.step()
    bench.platform.go_away("claim", "claim")
    with caplog.at_level("INFO"):
        bench.loop.step()
        paused[0] = "paused"
        bench.loop.step()
        assert bench.loop.trouble != ""
        paused[0] = ""
        bench.loop.step()
        assert "answers again" not in caplog.text
        bench.loop.step()
    assert bench.loop.trouble == ""
    assert caplog.text.count("the platform answers again") == 1


def test_a_job_that_comes_in_spite_of_a_pause_is_handed_back(bench: Bench) -> None:
    """It was claimed: who waits for it must hear, and nothing may begin."""
    object.__setattr__(bench.desk, "is_paused", lambda: True)
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.finish_job()
    assert bench.hooks.steps == []
    while bench.sender.step() == 0.0 and not bench.sender.is_idle:
        pass
    assert ("fail", "interrupted", "the agent is paused") in bench.platform.calls


def test_the_number_of_a_claim_grows_only_when_one_was_answered(bench: Bench) -> None:
    for _ in range(3):
        bench.loop.step()
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.finish_job()
    bench.loop.step()
    assert [request.seq for request in bench.requests()] == [1, 1, 1, 1, 2]


def test_it_asks_for_no_job_while_the_slot_is_taken(bench: Bench) -> None:
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.loop.step()
    assert len(bench.requests()) == 1


def test_a_restarted_agent_names_its_leases_and_goes_on_before_it_claims(bench: Bench) -> None:
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.start()
    bench.platform.claims = [make_claim(lease="lease-2", job_id="job-2")]
    bench.loop.step()
    assert bench.platform.registrations[-1].holding == ["lease-1"]
    assert bench.slot.job == "digits/1"
    assert len(bench.requests()) == 1


def test_a_computed_job_is_beaten_until_it_is_delivered(bench: Bench) -> None:
    claim = make_claim()
    bench.desk.journal.put_claim("old-boot", 1, claim, PLATFORM)
    for step in ("train", "test", "infer"):
        bench.desk.journal.put_commit(make_manifest(claim, step), is_last=step == "infer")
    bench.loop.step()
    bench.clock.advance(30)
    bench.desk.heartbeats.step()
    assert ("beat", "lease-1", "delivering") in bench.platform.calls
    while bench.sender.step() == 0:
        pass
    assert bench.desk.journal.jobs() == []


def test_a_claim_that_must_not_run_is_refused_in_the_next_one(bench: Bench) -> None:
    bench.platform.claims = [make_claim(pipeline="other")]
    bench.loop.step()
    bench.loop.step()
    first, second = bench.requests()
    assert second.seq == first.seq + 1
    assert second.refused.seq == first.seq
    assert "other" in second.refused.reason
    assert bench.slot.is_free
    bench.loop.step()
    assert bench.requests()[-1].refused is None


def test_a_refusal_is_repeated_until_it_arrived(bench: Bench) -> None:
    bench.platform.claims = [make_claim(pipeline="other")]
    bench.loop.step()
    bench.platform.go_away("claim")
    bench.loop.step()
    bench.loop.step()
    assert [bool(request.refused) for request in bench.requests()] == [False, True, True]


def test_a_claim_that_breaks_the_protocol_is_refused_and_the_agent_lives(bench: Bench) -> None:
    bench.platform.say("claim", InvalidClaimError("steps.0.step: exec"))
    bench.loop.step()
    bench.loop.step()
    assert "exec" in bench.requests()[-1].refused.reason


def test_a_platform_that_sends_only_such_claims_is_not_asked_without_a_pause(
    bench: Bench,
) -> None:
    bench.platform.say("claim", *[InvalidClaimError("steps: too short")] * 20)
    assert sum(bench.loop.step() for _ in range(20)) > 20


def test_drifted_record_names_are_refused(bench: Bench) -> None:
    bench.platform.claims = [make_claim(pool={"size": 10, "digest": "e" * 64})]
    bench.loop.step()
    bench.loop.step()
    assert "record names" in bench.requests()[-1].refused.reason


def test_an_outage_is_waited_out_for_ever(bench: Bench) -> None:
    bench.platform.go_away(*["register"] * 500)
    waits = [bench.loop.step() for _ in range(500)]
    assert max(waits) <= 60
    bench.loop.step()
    assert bench.loop.agent_id == "agent-1"


def test_a_turn_that_asks_nothing_does_not_end_an_outage(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody who pauses an agent was told that the platform answers again, and it did not."""
    caplog.set_level(logging.INFO)
    paused = [""]
    bench.loop.reasons = [lambda: paused[0]]
    bench.loop.step()
    bench.platform.go_away("claim", "claim")
    bench.loop.step()
    for paused[0] in ("paused", ""):
        bench.loop.step()
    assert bench.loop.trouble != ""
    assert "the platform answers again" not in caplog.text
    bench.loop.step()
    assert bench.loop.trouble == ""
    assert caplog.text.count("the platform answers again") == 1
    assert caplog.text.count("Trying again for as long") == 1, "one line for one outage"


def test_unknown_agent_registers_again(bench: Bench) -> None:
    bench.loop.step()
    bench.platform.say("claim", PlatformRejectedError("who?", problem="unknown-agent"))
    bench.loop.step()
    bench.loop.step()
    assert len(bench.platform.registrations) == 2


@pytest.mark.parametrize(
    "error",
    [
        NotAuthorizedError("revoked", problem="revoked"),
        NotAuthorizedError("a viewer's token", problem="forbidden"),
    ],
)
def test_some_verdicts_end_the_agent(bench: Bench, error: Exception) -> None:
    bench.platform.say("claim", error)
    bench.loop.step()
    assert bench.fatal == [error]


def test_a_boot_that_is_outlived_ends_the_agent_once_a_registration_says_so(bench: Bench) -> None:
    """A copy of its state folder began a later life elsewhere."""
    outlived = SupersededBootError("another process runs with this identity")
    bench.platform.say("claim", outlived)
    bench.loop.step()
    assert bench.fatal == []
    bench.platform.say("register", outlived)
    bench.loop.step()
    assert bench.fatal == [outlived]


def test_a_hub_restored_from_a_backup_that_knows_an_earlier_boot_is_registered_with_again(
    bench: Bench,
) -> None:
    bench.loop.step()
    bench.platform.say("claim", SupersededBootError("boot 4 is the newest that I know"))
    bench.loop.step()
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    assert bench.fatal == []
    assert len(bench.platform.registrations) == 2
    assert bench.slot.job == "digits/1"


OTHER = "platform-2"


def answers_as(bench: Bench, platform_id: str, times: int = 1) -> None:
    """The address leads to this platform at the next registrations."""
    usual = FakePlatform().register(Registration.model_construct())
    found = usual.model_copy(update={"platform_id": platform_id})
    bench.platform.say("register", *[found] * times)


def offering_a_part(bench: Bench):
    """A hook whose part is durable before its step is done."""

    def run() -> StepOutcome:
        bench.hooks.runs[-1].on_part(PartFile("part-0.npz", "a" * 64, 10, 1))
        return make_outcome()

    return run


def test_another_platform_at_the_address_ends_no_job_and_gets_nothing_of_the_old_one(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.sender.confirm = bench.desk.heartbeats.confirm = bench.loop.confirm
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.slot.step()
    bench.slot.step()  # train; the address changes hands before its result was sent
    unknown = LeaseLostError("this platform does not know the job or its lease")
    bench.platform.say("commit", unknown)
    bench.platform.say("beat", unknown)
    answers_as(bench, OTHER, 3)
    assert bench.sender.step() > 0
    bench.clock.advance(30)
    bench.desk.heartbeats.step()
    assert bench.loop.wake.is_set()
    bench.loop.step()
    before = len(bench.platform.calls)
    bench.hooks.say(offering_a_part(bench))
    bench.desk.log_file(make_claim()).parent.mkdir()
    bench.desk.log_file(make_claim()).write_text("epoch 1\n")
    bench.finish_job()
    bench.clock.advance(100)
    bench.desk.heartbeats.step()
    bench.sender.step()
    bench.desk.logs.step()
    assert bench.desk.parts.workers[0].step() > 0
    assert bench.platform.calls[before:] == []
    assert bench.hooks.steps == ["train", "test", "infer"]
    assert bench.desk.journal.unsent().messages == 3
    assert "1 jobs belong to another platform" in caplog.text


def test_the_old_platform_gets_everything_when_it_comes_back(bench: Bench) -> None:
    bench.sender.confirm = bench.desk.heartbeats.confirm = bench.loop.confirm
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.slot.step()
    answers_as(bench, OTHER)
    bench.platform.say("claim", PlatformRejectedError("who?", problem="unknown-agent"))
    bench.finish_job()
    bench.loop.step()
    bench.loop.step()
    assert bench.platform.registrations[-1].holding == ["lease-1"]
    bench.platform.say("claim", PlatformRejectedError("who?", problem="unknown-agent"))
    bench.loop.step()
    bench.loop.step()
    assert bench.platform.registrations[-1].holding == ["lease-1"]
    bench.clock.advance(100)
    bench.desk.heartbeats.step()
    while bench.sender.step() == 0:
        pass
    assert [call[1] for call in bench.platform.calls if call[0] == "commit"] == [
        "train", "test", "infer",
    ]  # fmt: skip
    assert ("beat", "lease-1", "delivering") in bench.platform.calls
    assert bench.desk.journal.jobs() == []


def test_a_job_that_waits_for_its_first_beat_gives_the_slot_back_to_another_platform(
    bench: Bench,
) -> None:
    """It would hold the slot for as long as its own platform is away."""
    bench.desk.journal.put_claim("old-boot", 1, make_claim(), PLATFORM)
    bench.loop.step()
    answers_as(bench, OTHER)
    bench.loop._is_doubted = True
    bench.loop.step()
    bench.finish_job()
    assert bench.hooks.steps == []
    assert [job.state for job in bench.desk.journal.jobs(PLATFORM)] == ["open"]


def test_a_job_whose_pipeline_was_taken_out_is_handed_back_before_any_claim(bench: Bench) -> None:
    claim = make_claim(pipeline="xray")
    bench.desk.journal.put_claim("old-boot", 1, claim, PLATFORM)
    bench.loop.step()
    bench.sender.step()
    [handed_back] = [call for call in bench.platform.calls if call[0] == "fail"]
    assert handed_back[1] == "interrupted"
    assert "'xray' is no longer in the agent's configuration" in handed_back[2]
    assert bench.slot.is_free


def test_a_start_registers_beats_runs_what_was_begun_and_only_then_claims(bench: Bench) -> None:
    """Two jobs of an earlier life, one of them computed; a third waits at the platform."""
    computed, begun = make_claim(lease="lease-0", job_id="job-0", job="digits/0"), make_claim()
    journal = bench.desk.journal
    journal.put_claim("old-boot", 1, computed, PLATFORM)
    for step in ("train", "test", "infer"):
        journal.put_commit(make_manifest(computed, step, key=f"0-{step}"), is_last=step == "infer")
    journal.put_claim("old-boot", 2, begun, PLATFORM)
    order: list[str] = []
    bench.hooks.say(*[lambda: order.append("hook") or make_outcome()] * 3)
    bench.platform.say("beat", lambda: order.append("beat") or HeartbeatAnswer(cancel=None))
    bench.platform.claims = [make_claim(lease="lease-2", job_id="job-2")]
    for _ in range(8):
        bench.loop.step()
        bench.slot.step()
        order += ["claim"] if bench.requests() and "claim" not in order else []
    assert bench.platform.registrations[0].holding == ["lease-0", "lease-1"]
    assert order[:5] == ["beat", "hook", "hook", "hook", "claim"]
    assert bench.platform.calls[0][0] == "register"
    assert bench.desk.heartbeats.holds("lease-0")


def test_an_expired_token_slows_the_agent_down_to_minutes(bench: Bench) -> None:
    bench.platform.say("claim", NotAuthorizedError("expired", problem="expired"))
    assert bench.loop.step() >= 60
    assert bench.fatal == []


def test_a_platform_that_holds_no_polls_is_asked_every_few_seconds(bench: Bench) -> None:
    waits = [bench.loop.step() for _ in range(50)]
    assert 0 < max(waits) <= 5


def test_a_held_poll_is_followed_at_once(bench: Bench) -> None:
    bench.loop.step()
    bench.platform.say("claim", lambda: bench.clock.advance(15))
    assert bench.loop.step() == 0


def test_retry_after_of_an_empty_answer_is_kept_to(bench: Bench) -> None:
    """A little more than was asked, since others were asked the same."""
    bench.platform.say("claim", 10.0)
    assert 10 <= bench.loop.step() <= 11


def test_retry_after_of_nothing_is_no_leave_to_ask_without_a_pause(bench: Bench) -> None:
    bench.platform.say("claim", *[0.0] * 20)
    assert sum(bench.loop.step() for _ in range(20)) > 20


def cut_after(bench: Bench, seconds: float, silence: str = "cut"):
    def cut() -> None:
        bench.clock.advance(seconds)
        raise PlatformUnavailableError("closed", silence=silence)

    return cut


def test_polls_that_are_cut_twice_are_held_half_as_long(bench: Bench) -> None:
    bench.platform.say("claim", *[cut_after(bench, 9)] * 4)
    for _ in range(5):
        bench.loop.step()
    assert [request.wait_s for request in bench.requests()] == [20, 20, 10, 10, 5]


def test_trials_of_a_longer_wait_that_are_cut_again_are_no_news(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy with a limit is told of once, not at each of a thousand trials."""
    caplog.set_level("INFO")

    def held() -> None:
        bench.clock.advance(9)

    bench.platform.say("claim", *[cut_after(bench, 9)] * 2, *[held] * 8, cut_after(bench, 9), held)
    for _ in range(12):
        bench.loop.step()
    assert [request.wait_s for request in bench.requests()][-3:] == [10, 20, 10]
    told = [line for line in caplog.messages if "job" not in line and "registered" not in line]
    assert told == [
        "E-NET-01  closed. Trying again for as long as it takes",
        "polls are cut on this line: held for 10 s from now on",
        "the platform answers again",
    ]


def test_a_stop_that_cuts_the_poll_teaches_nothing(bench: Bench) -> None:
    bench.platform.say("claim", *[cut_after(bench, 9, "interrupted")] * 4)
    for _ in range(5):
        bench.loop.step()
    assert {request.wait_s for request in bench.requests()} == {20}


def test_what_the_line_bears_is_kept_over_a_registration(bench: Bench) -> None:
    lost = PlatformRejectedError("who?", problem="unknown-agent")
    bench.platform.say("claim", cut_after(bench, 9), cut_after(bench, 9), lost)
    for _ in range(4):
        bench.loop.step()
    assert [request.wait_s for request in bench.requests()] == [20, 20, 10, 10]


@pytest.mark.parametrize("poll_wait_s", [-1.0, 0.0, 1e9])
def test_an_absurd_hold_neither_ends_the_agent_nor_makes_it_race(
    bench: Bench, poll_wait_s: float
) -> None:
    usual = bench.platform.register(
        Registration.model_construct()  # whatever it says
    )
    bench.platform.say("register", usual.model_copy(update={"poll_wait_s": poll_wait_s}))
    waits = [bench.loop.step() for _ in range(20)]
    assert sum(waits) > 20
    assert 1 <= bench.requests()[0].wait_s <= 300


def test_a_verdict_that_makes_no_sense_here_does_not_end_the_agent(bench: Bench) -> None:
    bench.platform.say("claim", LeaseLostError("which?"))
    assert bench.loop.step() <= 1
    assert "lease-lost" in bench.loop.trouble
    bench.loop.step()
    assert bench.loop.trouble == ""


def test_jobs_of_another_platform_stay_where_they_are(bench: Bench) -> None:
    bench.desk.journal.put_claim("old-boot", 1, make_claim(), "platform-2")
    bench.loop.step()
    assert bench.slot.is_free
    assert len(bench.desk.journal.jobs()) == 1


def test_an_error_of_the_platform_is_not_mistaken_for_no_job(bench: Bench) -> None:
    bench.platform.say("claim", PlatformUnavailableError("busy", retry_after_s=30))
    assert bench.loop.step() == 30


def test_it_takes_no_more_jobs_than_its_quota(bench: Bench) -> None:
    done: list[bool] = []
    bench.loop.quota, bench.loop.on_done = Quota(most=1), lambda: done.append(True)
    bench.platform.claims = [make_claim(), make_claim(lease="lease-2", job_id="job-2")]
    bench.loop.step()
    assert not done
    bench.finish_job()
    bench.loop.step()
    assert done == [True]
    assert len(bench.requests()) == 1


def test_a_job_that_goes_on_counts_for_the_quota(bench: Bench) -> None:
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.start()
    done: list[bool] = []
    bench.loop.quota, bench.loop.on_done = Quota(most=1), lambda: done.append(True)
    bench.loop.step()
    bench.finish_job()
    bench.loop.step()
    assert done == [True]


def test_when_asked_to_it_leaves_as_soon_as_there_is_no_job(bench: Bench) -> None:
    done: list[bool] = []
    bench.loop.quota, bench.loop.on_done = Quota(leaves_when_idle=True), lambda: done.append(True)

    def hold() -> None:
        bench.clock.advance(15.0)

    bench.platform.say("claim", hold)
    bench.loop.step()
    assert done == [True]


def test_of_a_platform_that_does_not_hold_polls_it_wants_several_empty_answers(
    bench: Bench,
) -> None:
    """The platform may be choosing the samples of the next job just now."""
    done: list[bool] = []
    bench.loop.quota, bench.loop.on_done = Quota(leaves_when_idle=True), lambda: done.append(True)
    bench.loop.step()
    bench.loop.step()
    assert done == []
    bench.loop.step()
    assert done == [True]


def test_it_stays_while_a_result_is_unsent(bench: Bench) -> None:
    """The platform may only have no job because it has not got the last result yet."""
    done: list[bool] = []
    bench.loop.quota, bench.loop.on_done = Quota(leaves_when_idle=True), lambda: done.append(True)
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.finish_job()
    for _ in range(5):
        bench.loop.step()
    assert done == []


def test_it_does_not_wait_two_long_polls_for_an_answer_that_counts(bench: Bench) -> None:
    """The poll that goes out beside the last result is held briefly; the next one counts."""
    bench.loop.quota = Quota(leaves_when_idle=True)
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.finish_job()
    bench.loop.step()
    while bench.sender.step() == 0:
        pass
    bench.loop.step()
    assert [request.wait_s for request in bench.requests()] == [20, 2, 20]


def test_a_job_whose_hook_failed_is_counted_as_a_failure(bench: Bench) -> None:
    bench.hooks.say(HookRaisedError("x.py:1: ValueError"))
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.finish_job()
    assert bench.slot.quota.failed.keys() == {"digits/1"}


def test_waiting_for_a_job_is_said_once_until_there_was_one(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("alectio_agent"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="alectio_agent"):
        for _ in range(3):
            bench.loop.step()
        assert caplog.messages.count("no job now; waiting for one") == 1
        bench.platform.claims = [make_claim()]
        bench.loop.step()
        bench.finish_job()
        bench.loop.step()
    assert caplog.messages.count("no job now; waiting for one") == 2


def test_an_agent_for_one_job_gives_up_on_a_platform_that_it_never_reached(bench: Bench) -> None:
    bench.loop.quota = Quota(most=1, leaves_when_idle=True)
    bench.platform.go_away(*["register"] * 10)
    while not bench.fatal:
        bench.loop.step()
    assert isinstance(bench.fatal[0], PlatformUnavailableError)
    assert len(bench.platform.registrations) == 6


def test_an_agent_for_one_job_does_not_wait_for_another_token(bench: Bench) -> None:
    bench.loop.quota = Quota(leaves_when_idle=True)
    bench.platform.say("register", NotAuthorizedError("unknown", problem="unauthorized"))
    bench.loop.step()
    assert isinstance(bench.fatal[0], NotAuthorizedError)


def mismatch() -> ProtocolMismatchError:
    return ProtocolMismatchError("the platform speaks protocol 2", hint="Update the agent")


def test_an_agent_for_one_job_does_not_wait_for_an_update(bench: Bench) -> None:
    bench.loop.quota = Quota(leaves_when_idle=True)
    bench.platform.say("register", mismatch())
    bench.loop.step()
    assert isinstance(bench.fatal[0], ProtocolMismatchError)


def test_an_agent_waits_slowly_until_the_older_side_was_updated(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """An update of a hub takes minutes; of an agent, it ends this one anyway."""
    bench.platform.say("register", mismatch(), mismatch(), mismatch())
    waits = [bench.loop.step() for _ in range(3)]
    assert all(60 <= wait_s <= 120 for wait_s in waits)
    assert bench.loop.trouble == "the platform speaks protocol 2"
    told = [entry.message for entry in caplog.records if entry.levelname == "ERROR"]
    assert told == [
        "E-HUB-06  the platform speaks protocol 2. Update the agent. Trying again every minute "
        "or two"
    ]
    bench.loop.step()
    assert (bench.loop.trouble, bench.fatal) == ("", [])


def test_what_is_no_platform_is_doubted_aloud(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.platform.say("register", PlatformUnavailableError("HTTP 200", code="E-NET-02"))
    bench.loop.step()
    assert "Is that the address of an Alectio platform" in caplog.text


def test_an_agent_that_was_registered_never_gives_up(bench: Bench) -> None:
    bench.loop.quota = Quota(most=5, leaves_when_idle=True)
    bench.platform.claims = [make_claim()]
    bench.loop.step()
    bench.finish_job()
    bench.platform.go_away(*["claim"] * 10)
    for _ in range(10):
        bench.loop.step()
    assert bench.fatal == []


def test_a_failure_that_a_later_attempt_mended_is_none(bench: Bench) -> None:
    bench.hooks.say(HookRaisedError("x.py:1: ValueError"))
    bench.platform.claims = [make_claim(), make_claim(lease="lease-2", attempt=2)]
    for expected in ({"digits/1"}, set()):
        bench.loop.step()
        bench.finish_job()
        assert bench.slot.quota.failed.keys() == expected
    assert bench.slot.quota.done.keys() == {"digits/1"}


def test_a_refused_job_is_a_failure_too(bench: Bench) -> None:
    bench.platform.claims = [make_claim(pipeline="other")]
    bench.loop.step()
    assert len(bench.loop.quota.failed) == 1


def test_names_that_the_platform_asks_for_are_passed_on(bench: Bench) -> None:
    wanted = []
    bench.loop.on_names_wanted = lambda agent_id, digests: wanted.append((agent_id, digests))
    answer = bench.platform.register
    bench.platform.register = lambda said: answer(said).model_copy(
        update={"names_wanted": ["d" * 64]}
    )
    bench.loop.step()
    assert wanted == [("agent-1", ["d" * 64])]


def test_the_rest_of_the_log_of_a_job_that_was_computed_before_is_sent(bench: Bench) -> None:
    claim = make_claim()
    bench.desk.journal.put_claim("boot-0", 1, claim, PLATFORM)
    for step in ("train", "test", "infer"):
        manifest = make_manifest(claim, step)
        bench.desk.outbox.open_result(claim.lease, step)
        bench.desk.journal.put_commit(manifest, is_last=step == "infer")
    file = bench.desk.log_file(claim)
    file.parent.mkdir()
    file.write_text("epoch 1\n")
    bench.loop.step()
    bench.desk.logs.step()
    bench.desk.logs.step()
    asked, sent = (call for call in bench.platform.calls if call[0] == "put_log")
    assert asked[3:] == (0, b"")
    assert sent[3:] == (0, b"epoch 1\n")


def test_a_reason_of_which_only_figures_change_is_no_news(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    said = iter(["9.8 GiB free", "9.7 GiB free", "the command says no"])
    bench.loop.reasons = [lambda: next(said)]
    for expected in ("9.8 GiB free", "9.7 GiB free", "the command says no"):
        bench.loop.step()
        assert bench.loop.held_back == expected
    assert caplog.text.count("no job is asked for: ") == 2


class TestADiskThatRefuses:
    """A claim that is not in the journal is not run, and asked for again under its number."""

    def test_a_claim_without_room_is_asked_for_again(self, bench: Bench) -> None:
        bench.loop.reasons.append(bench.desk.disk_trouble.reason)
        steps = [step.model_dump() for step in make_claim().steps]
        steps[0]["payload"]["labels"] = {"1": "x" * 50_000}
        large = make_claim(steps=steps)
        bench.platform.say("claim", large, large)
        with without_room(bench.desk.journal):
            assert bench.loop.step() == LOOK_AGAIN_S
        assert bench.slot.is_free
        assert bench.desk.journal.leases() == []
        bench.loop.step()
        assert [request.seq for request in bench.requests()] == [1, 1]
        assert not bench.slot.is_free

    def test_no_job_is_asked_for_while_somebody_waits_for_the_disk(self, bench: Bench) -> None:
        bench.loop.reasons.append(bench.desk.disk_trouble.reason)
        bench.desk.disk_trouble.met("digits/3", StoreFullError("no room"))
        assert bench.loop.step() == LOOK_AGAIN_S
        assert bench.requests() == []
        assert "no room" in bench.loop.held_back
        bench.desk.disk_trouble.over("digits/3")
        bench.loop.step()
        assert len(bench.requests()) == 1

    def test_a_refusal_that_cannot_be_counted_is_made_again(self, bench: Bench) -> None:
        foreign = make_claim(pipeline="unknown")
        bench.platform.say("claim", foreign, foreign)
        with refusing(bench.desk.journal):
            assert bench.loop.step() == LOOK_AGAIN_S
        bench.loop.step()
        bench.loop.step()
        assert [request.seq for request in bench.requests()] == [1, 1, 2]
        assert bench.requests()[2].refused.seq == 1


@pytest.mark.parametrize("is_store", [False, True])
def test_a_doubt_about_who_answers_lasts_until_it_is_known(bench: Bench, is_store: bool) -> None:
    """Else leases of one platform would be told to another."""
    bench.loop.step()
    bench.loop._is_doubted = True
    error = StoreFullError("no room") if is_store else PlatformUnavailableError("no answer")
    bench.platform.say("register", error)
    bench.loop.step()
    assert len(bench.requests()) == 1
    bench.loop.step()
    assert len(bench.platform.registrations) == 3
