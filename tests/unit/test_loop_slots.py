"""The poll loop of an agent with several slots."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.wire.agents import PipelineOffer
from alectio_agent.wire.claims import Claim
from tests.support.claims import PLATFORM, make_claim
from tests.support.clocks import FakeClock
from tests.support.desks import make_desk
from tests.support.hooks import FakeHooks
from tests.support.platforms import FakePlatform


def claim_of(number: int, pipeline: str = "digits", experiment: str = "digits") -> Claim:
    """One of several jobs."""
    return make_claim(
        job=f"{experiment}/{number}",
        job_id=f"job-{number}",
        lease=f"lease-{number}",
        experiment=experiment,
        pipeline=pipeline,
    )


class Bench:
    """A poll loop that feeds slots on fakes; of `pipelines` each slot may run the named ones."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.platform = FakePlatform()
        self.desk = make_desk(folder, self.platform, self.clock)
        self.done: list[bool] = []

    def start(self, *pipelines: list[str] | None) -> None:
        """A life of the agent with a slot for each entry."""
        wake = threading.Event()
        self.hooks = [FakeHooks() for _ in pipelines]
        self.slots = Slots(
            [
                Slot(hooks, wake.set, number, runs)
                for number, (hooks, runs) in enumerate(zip(self.hooks, pipelines, strict=True))
            ]
        )
        self.sender = Sender(
            self.platform, self.desk.journal, self.desk.parts, self.desk.heartbeats, self.clock,
            Backoff(random.Random(2)),
        )  # fmt: skip
        offers = {name: PipelineOffer(name=name, pool_size=10) for name in ("digits", "letters")}
        said = Announcement("gpu01", "1.0", [], offers, list, lambda *_: None, len(pipelines))
        self.loop = PollLoop(
            self.platform,
            said,
            next_boot(self.desk.disk, Path("/state")),
            Rooms(self.desk, self.slots, self.sender, self.desk.heartbeats),
            random.Random(3),
            wake,
        )
        self.loop.on_done = lambda: self.done.append(True)

    @property
    def jobs(self) -> list[str | None]:
        return [slot.job for slot in self.slots.all]

    @property
    def free(self) -> list[list[str]]:
        """What each poll said that a free slot may run."""
        return [call[1].free for call in self.platform.calls if call[0] == "claim"]

    def finish(self, number: int) -> None:
        while not self.slots.all[number].is_free:
            self.slots.all[number].step()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.desk.journal.close()


def test_it_asks_for_a_job_as_long_as_a_slot_is_free(bench: Bench) -> None:
    bench.start(None, None)
    bench.platform.claims = [claim_of(1), claim_of(2), claim_of(3)]
    for _ in range(4):
        bench.loop.step()
    assert bench.jobs == ["digits/1", "digits/2"]
    assert len(bench.free) == 2
    bench.finish(0)
    bench.loop.step()
    assert bench.jobs == ["digits/3", "digits/2"]


def test_the_platform_is_told_how_many_jobs_run_side_by_side(bench: Bench) -> None:
    bench.start(None, None, None)
    bench.loop.step()
    assert bench.platform.registrations[0].slots == 3


def test_only_what_a_free_slot_may_run_is_asked_for(bench: Bench) -> None:
    bench.start(["digits"], ["letters"])
    bench.platform.claims = [claim_of(1, "letters")]
    bench.loop.step()
    bench.loop.step()
    assert bench.free == [["digits", "letters"], ["digits"]]
    assert bench.jobs == [None, "digits/1"]


def test_nothing_is_asked_for_when_the_free_slots_may_run_nothing(bench: Bench) -> None:
    bench.start(["digits", "letters"], [])
    bench.platform.claims = [claim_of(1)]
    bench.loop.step()
    assert bench.loop.step() > 600
    assert len(bench.free) == 1


def test_a_restarted_agent_gives_each_job_of_its_journal_to_a_slot(bench: Bench) -> None:
    for number in (1, 2):
        bench.desk.journal.put_claim("old-boot", number, claim_of(number), PLATFORM)
    bench.start(None, None)
    bench.loop.step()
    assert bench.jobs == ["digits/1", "digits/2"]
    assert bench.free == []


def test_more_jobs_than_slots_wait_for_one(bench: Bench) -> None:
    """Somebody took a slot out of the configuration."""
    for number in (1, 2):
        bench.desk.journal.put_claim("old-boot", number, claim_of(number), PLATFORM)
    bench.start(None)
    bench.loop.step()
    bench.loop.step()
    assert bench.jobs == ["digits/1"]
    bench.finish(0)
    bench.loop.step()
    assert bench.jobs == ["digits/2"]
    assert bench.free == []


def test_a_job_that_waits_for_its_slot_lets_others_pass(bench: Bench) -> None:
    for number, pipeline in enumerate(("digits", "digits", "letters")):
        claim = claim_of(number, pipeline)
        bench.desk.journal.put_claim("old-boot", number, claim, PLATFORM)
    bench.start(["digits"], ["letters"])
    bench.loop.step()
    assert bench.jobs == ["digits/0", "digits/2"]


def test_the_quota_holds_for_all_slots_together(bench: Bench) -> None:
    bench.start(None, None)
    bench.loop.quota = Quota(most=1)
    bench.platform.claims = [claim_of(1), claim_of(2)]
    for _ in range(3):
        bench.loop.step()
    assert bench.jobs == ["digits/1", None]
    assert bench.done == []
    bench.finish(0)
    bench.loop.step()
    assert bench.done == [True]
    assert len(bench.free) == 1


def test_it_does_not_leave_for_want_of_work_while_a_slot_works(bench: Bench) -> None:
    """The job in hand may be followed by another."""
    bench.start(None, None)
    bench.loop.quota = Quota(leaves_when_idle=True)
    bench.platform.claims = [claim_of(1)]
    for _ in range(10):
        bench.loop.step()
    assert bench.done == []


def test_a_slot_whose_process_is_warm_for_the_experiment_comes_first(bench: Bench) -> None:
    bench.start(None, None, None)
    bench.hooks[0].ready, bench.hooks[2].ready = 0, 2
    bench.platform.claims = [claim_of(1), claim_of(2), claim_of(3)]
    for _ in range(3):
        bench.loop.step()
    assert bench.jobs == ["digits/3", "digits/2", "digits/1"]


def test_what_ended_is_told_in_the_order_in_which_it_ended(bench: Bench) -> None:
    bench.start(None, None)
    bench.platform.claims = [claim_of(1), claim_of(2)]
    bench.loop.step()
    bench.loop.step()
    bench.finish(1)
    bench.finish(0)
    assert [job.job for job in bench.slots.ended] == ["digits/2", "digits/1"]


def test_progress_belongs_to_the_job_of_the_slot_whose_hook_told_it(bench: Bench) -> None:
    bench.start(None, None)
    bench.platform.claims = [claim_of(1), claim_of(2)]
    bench.loop.step()
    bench.loop.step()
    for slot in bench.slots.all:
        slot.step()  # the first heartbeat
    bench.slots.all[1].note_progress(3, 4, {})
    noted = [bench.desk.heartbeats.noted(lease) for lease in ("lease-1", "lease-2")]
    assert noted[0] is None
    assert noted[1] is not None
    assert noted[1].progress.done == 3


def test_a_job_whose_pipeline_is_configured_no_more_goes_back_to_the_platform(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Another agent may have that pipeline still."""
    caplog.set_level("INFO")
    bench.desk.journal.put_claim("old-boot", 1, claim_of(1, "numbers"), PLATFORM)
    bench.start(None)
    bench.platform.claims = [claim_of(2)]
    bench.loop.step()
    assert bench.jobs == ["digits/2"]
    assert "handed back to the platform: pipeline 'numbers' is no longer in" in caplog.text
    while bench.sender.step() == 0:
        pass
    failed = [call for call in bench.platform.calls if call[0] == "fail"]
    assert [call[1] for call in failed] == ["interrupted"]


def held_until_free(bench: Bench, number: int, cuts: list[str]):
    """A poll during which a slot becomes free; it is cut then, or ends by itself."""

    def hold() -> None:
        bench.loop.recall.cut = lambda: cuts.append("cut")
        bench.finish(number)
        if cuts:
            raise PlatformUnavailableError("shut down", silence="interrupted")

    return hold


def test_a_poll_is_asked_anew_when_a_slot_becomes_free_that_may_run_more(bench: Bench) -> None:
    """The next loop would wait for the end of the hold, up to 20 s."""
    bench.start(["digits"], ["letters"])
    bench.platform.claims = [claim_of(1)]
    bench.loop.step()
    bench.platform.say("claim", held_until_free(bench, 0, []))
    assert bench.loop.step() == 0
    bench.loop.step()
    requests = [call[1] for call in bench.platform.calls if call[0] == "claim"]
    assert [request.free for request in requests[1:]] == [["letters"], ["digits", "letters"]]
    assert requests[1].seq == requests[2].seq
    assert bench.loop.trouble == ""


def test_a_poll_that_asks_for_all_already_is_left_alone(bench: Bench) -> None:
    bench.start(None, None)
    bench.platform.claims = [claim_of(1)]
    bench.loop.step()
    cuts: list[str] = []
    bench.platform.say("claim", held_until_free(bench, 0, cuts))
    bench.loop.step()
    assert cuts == []


def test_an_agent_that_leaves_does_not_wait_for_a_poll_of_an_idle_slot(bench: Bench) -> None:
    bench.start(None, None)
    bench.loop.quota = Quota(leaves_when_idle=True)
    bench.platform.claims = [claim_of(1)]
    bench.loop.step()
    cuts: list[str] = []
    bench.platform.say("claim", held_until_free(bench, 0, cuts))
    bench.loop.step()
    assert cuts == ["cut"]
    waits = [call[1].wait_s for call in bench.platform.calls if call[0] == "claim"]
    assert waits == [20, 20], "while the other slot works nothing asks for short holds"


def test_between_two_polls_there_is_nothing_to_cut(bench: Bench) -> None:
    bench.start(["digits"], ["letters"])
    bench.loop.recall.cut = lambda: pytest.fail("nothing is under way")
    bench.platform.claims = [claim_of(1)]
    bench.loop.step()
    bench.finish(0)
