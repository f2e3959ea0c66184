"""What an agent writes into its log in a day in which nothing happens."""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.agent.service.accountant import Accountant
from alectio_agent.agent.service.hourly import HourlyLine
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.wire.agents import PipelineOffer
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.results import Heartbeat, HeartbeatAnswer, JobFailure
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock
from tests.support.desks import make_desk
from tests.support.figures import make_figures
from tests.support.hooks import FakeHooks
from tests.support.log_bytes import log_bytes
from tests.support.platforms import FakePlatform

DAY_S = 86400.0
MOST_BYTES = 10_000


class HoldingPlatform(FakePlatform):
    """Holds polls for as long as it is asked to, unless it cannot be reached."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.silence: Callable[[], str] | None = None

    def claim(self, request: ClaimRequest) -> Claim | float | None:
        self._check()
        answer = super().claim(request)
        if answer is None:
            self.clock.advance(request.wait_s)
        return answer

    def beat(self, job_id: str, lease: str, heartbeat: Heartbeat) -> HeartbeatAnswer:
        self._check()
        return super().beat(job_id, lease, heartbeat)

    def register(self, registration: Any) -> Any:
        self._check()
        return super().register(registration)

    def fail(self, *given: Any) -> None:
        self._check()
        super().fail(*given)

    def _check(self) -> None:
        if self.silence is not None:
            raise PlatformUnavailableError(self.silence())


class Site:
    """An agent's loops on one clock; each has its turn when it is due."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.platform = HoldingPlatform(self.clock)
        self.desk = make_desk(folder, self.platform, self.clock)
        counters, rng = self.desk.counters, random.Random(3)
        wake = threading.Event()
        self.slot = Slot(FakeHooks(), wake.set)
        backoff = Backoff(rng, on_failure=counters.retries.adder("results"))
        self.sender = Sender(
            self.platform, self.desk.journal, self.desk.parts, self.desk.heartbeats, self.clock,
            backoff,
        )  # fmt: skip
        self.sender.counters = counters
        said = Announcement(
            name="gpu01", version="1", tags=[], checkpoints=list, digest=lambda *_: None,
            offers={"digits": PipelineOffer(name="digits", pool_size=10)},
        )  # fmt: skip
        rooms = Rooms(self.desk, Slots([self.slot]), self.sender, self.desk.heartbeats)
        identity = next_boot(self.desk.disk, Path("/state"))
        self.poll = PollLoop(self.platform, said, identity, rooms, rng, wake)
        hourly = HourlyLine(counters, lambda: 0, self.clock)
        look = lambda: make_figures(self.clock, counters=counters)  # noqa: E731
        accountant = Accountant(hourly, look)
        self.loops = [self.poll, self.slot, self.sender, self.desk.heartbeats, accountant]
        self.due = dict.fromkeys(range(len(self.loops)), 0.0)

    def live(self, seconds: float) -> None:
        """Turn everything for so long."""
        until = self.clock.monotonic() + seconds
        while True:
            for number, loop in enumerate(self.loops):
                if loop.wake.is_set():
                    loop.wake.clear()
                    self.due[number] = self.clock.monotonic()
            number = min(self.due, key=lambda each: self.due[each])
            if self.due[number] > until:
                return
            self.clock.advance(max(0.0, self.due[number] - self.clock.monotonic()))
            wait_s = self.loops[number].step()
            self.due[number] = self.clock.monotonic() + wait_s


@pytest.fixture
def site(tmp_path: Path):
    made = Site(tmp_path)
    yield made
    made.desk.journal.close()


def test_an_idle_day_is_a_few_lines(site: Site) -> None:
    with log_bytes() as written:
        site.live(DAY_S + 3600)
    assert site.desk.counters.polls.amounts["empty"] > 4000
    assert max(written.sizes.values()) < 1000
    assert written.messages[:2] == ["registered as gpu01", "no job now; waiting for one"]
    assert len(written.messages) == 3  # once a day it says that it lives
    assert written.messages[2].startswith("in the last 24 hours: 0 jobs done, 0 not, 0 steps, 43")


def test_a_day_of_an_outage_stays_small(site: Site) -> None:
    """With a result that waits, and a line that is broken in another way now and then."""
    site.platform.claims = [make_claim()]
    site.live(3600)
    kinds = random.Random(5)
    words = ("Connection refused", "no answer in time", "Name or service not known")
    site.platform.silence = lambda: kinds.choice(words)
    claim = make_claim(lease="lease-9", job="digits/9")
    site.desk.journal.put_claim("boot-9", 9, claim, "platform-1")
    failure = JobFailure.of("crash", "it crashed", "2026-01-01T00:00:00.000Z")
    site.desk.journal.put_failure("lease-9", failure)
    site.desk.heartbeats.hold(claim, lambda *_: None)
    site.desk.heartbeats.deliver("lease-9")
    site.sender.wake.set()
    with log_bytes() as written:
        site.live(DAY_S)
    retries = site.desk.counters.retries.amounts
    assert min(retries["polls"], retries["results"]) > 1000
    assert sum(line.startswith("in the last hour") for line in written.messages) == 24
    assert max(written.sizes.values()) < MOST_BYTES
    with log_bytes() as written:
        site.platform.silence = None
        site.live(300)
    assert "the platform answers again" in written.messages
    assert ("fail", "crash", "it crashed") in site.platform.calls


def test_an_hour_of_work_is_summed_up(site: Site) -> None:
    site.live(1800)
    site.platform.claims = [make_claim()]
    with log_bytes() as written:
        site.live(3600)
    told = [line for line in written.messages if line.startswith("in the last")]
    assert len(told) == 1
    assert told[0].startswith("in the last hour: 1 job done, 0 not, 3 steps, ")
    assert told[0].endswith(" polls, 0 retries, 0 B sent; outbox empty")
