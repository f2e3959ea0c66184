"""Every row of the table of failure classes: how a failure is told, and what the agent does next.

Whatever happens to one job, its results stay, the next job is taken, and the person who wants to
know is told, unless nothing is wrong or it was a person who ended it.
"""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.journal.identity import next_boot
from alectio_agent.agent.loop import PollLoop, Rooms
from alectio_agent.core.errors import (
    CheckpointError,
    HookCrashedError,
    HookInterruptedError,
    HookLoadError,
    HookMemoryError,
    HookRaisedError,
    HookResultError,
    HookTimeoutError,
    PlatformRejectedError,
)
from alectio_agent.wire.agents import PipelineOffer
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.results import FailureClass, HeartbeatAnswer
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock
from tests.support.desks import make_desk
from tests.support.hooks import FakeHooks, make_outcome
from tests.support.platforms import FakePlatform

NEXT = {"job": "digits/2", "job_id": "job-2", "lease": "lease-2", "loop": 2}


class Bench:
    """An agent on fakes, with one job that fails and one that comes after it."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.platform, self.hooks = FakeClock(), FakePlatform(), FakeHooks()
        self.told: list[tuple[str, dict[str, Any]]] = []
        desk = make_desk(folder, self.platform, self.clock)
        self.desk = replace(desk, tell=self._tell)
        wake = threading.Event()
        self.slot = Slot(self.hooks, wake.set)
        self.sender = Sender(
            self.platform, self.desk.journal, self.desk.parts, self.desk.heartbeats, self.clock,
            Backoff(random.Random(2)),
        )  # fmt: skip
        self.sender.tell = self._tell
        offers = {"digits": PipelineOffer(name="digits", pool_size=10)}
        said = Announcement("gpu01", "1.0", [], offers, list, lambda _name, _size: "d" * 64)
        rooms = Rooms(self.desk, Slots([self.slot]), self.sender, self.desk.heartbeats)
        identity = next_boot(self.desk.disk, Path("/state"))
        self.loop = PollLoop(self.platform, said, identity, rooms, random.Random(3), wake)

    def _tell(self, event: str, **facts: Any) -> None:
        self.told.append((event, facts))

    def work(self, *claims: Claim) -> None:
        """Take jobs until there is none, and deliver what they give."""
        self.platform.claims += claims
        for _ in range(len(claims) + 2):
            self.loop.step()
            while not self.slot.is_free:
                self.slot.step()
            while self.sender.step() == 0.0:
                pass

    def made(self, call: str) -> list[Any]:
        return [made[1] for made in self.platform.calls if made[0] == call]

    def lose_the_lease(self) -> None:
        self.desk.heartbeats.end("lease-1", "another attempt counted")
        raise HookInterruptedError("cancelled before it ended")

    def be_cancelled(self) -> None:
        self.platform.say("beat", HeartbeatAnswer(cancel="no longer needed"))
        self.clock.advance(30)
        self.desk.heartbeats.step()
        raise HookInterruptedError("cancelled before it ended")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.desk.journal.close()


def in_test(error: Exception) -> Callable[[Bench], None]:
    """The second step of the job fails."""
    return lambda bench: bench.hooks.say(make_outcome(), error)


def cancelled(bench: Bench) -> None:
    bench.hooks.say(make_outcome(), bench.be_cancelled)


def rejected(bench: Bench) -> None:
    bench.platform.say("commit", None, PlatformRejectedError("no such step", problem="invalid"))


# By class, how it comes about; the job has committed `train` by then.
WAYS: dict[str, Callable[[Bench], None]] = {
    "user_code": in_test(HookRaisedError("ValueError: bad")),
    "contract": in_test(HookResultError("2 of 3 rows missing")),
    "timeout": in_test(HookTimeoutError("not done after 1 h")),
    "oom": in_test(HookMemoryError("took 70 GiB")),
    "crash": in_test(HookCrashedError("killed by SIGSEGV")),
    "checkpoint": in_test(CheckpointError("digits-ckpt_1 is gone")),
    "interrupted": in_test(HookInterruptedError("the agent was stopped")),
    "rejected": rejected,
    "cancelled": cancelled,
}
UNTOLD = {"interrupted", "cancelled"}


def test_the_table_is_whole() -> None:
    """`refused` ends a job before it has a step: see below."""
    assert {*WAYS, "refused"} == set(get_args(FailureClass))


@pytest.mark.parametrize("failure_class", WAYS)
def test_a_failure_is_told_with_its_class_and_the_next_job_is_taken(
    bench: Bench, failure_class: str
) -> None:
    WAYS[failure_class](bench)
    bench.work(make_claim(), make_claim(**NEXT))
    assert bench.made("fail") == [failure_class]
    assert bench.made("commit")[0] == "train", "what was computed before is kept"
    assert bench.made("commit")[-3:] == ["train", "test", "infer"]
    assert bench.hooks.steps[-3:] == ["train", "test", "infer"]
    assert bench.desk.journal.leases() == []
    assert bench.slot.is_free


@pytest.mark.parametrize("failure_class", WAYS)
def test_who_wants_to_know_of_failures_is_told(bench: Bench, failure_class: str) -> None:
    WAYS[failure_class](bench)
    bench.work(make_claim())
    found = [(event, said["class"], said["job"], said["step"]) for event, said in bench.told]
    is_untold = failure_class in UNTOLD
    assert found == ([] if is_untold else [("failed", failure_class, "digits/1", "test")])


@pytest.mark.parametrize("failure_class", sorted({*WAYS} - {"rejected"}))
def test_no_further_step_of_the_job_runs(bench: Bench, failure_class: str) -> None:
    WAYS[failure_class](bench)
    bench.work(make_claim())
    assert bench.hooks.steps == ["train", "test"]


def test_a_result_that_was_refused_for_good_stays_on_disk(bench: Bench) -> None:
    rejected(bench)
    bench.work(make_claim())
    assert {folder.name for folder in bench.desk.outbox.folders()} >= {"lease-1.test"}


def test_a_person_who_cancels_has_the_hook_ended_with_its_grace(bench: Bench) -> None:
    cancelled(bench)
    bench.work(make_claim())
    assert bench.hooks.cancels == [30.0]


def test_hooks_that_cannot_be_loaded_wait_for_a_person_like_one_that_raised(bench: Bench) -> None:
    bench.hooks.say(HookLoadError("`import torch`: not installed"))
    bench.work(make_claim())
    assert bench.made("fail") == ["user_code"]


def test_a_job_that_must_not_run_is_refused_and_the_next_one_is_taken(bench: Bench) -> None:
    bench.work(make_claim(pipeline="other"), make_claim(**NEXT))
    requests = [call[1] for call in bench.platform.calls if call[0] == "claim"]
    assert requests[1].refused.seq == requests[0].seq
    assert bench.made("fail") == [], "the platform makes the failure out of the refusal"
    assert bench.hooks.steps == ["train", "test", "infer"]
    ((event, said),) = bench.told
    assert (event, said["class"], said["job"]) == ("failed", "refused", "digits/1")


def test_a_lost_lease_is_no_failure_of_this_agent(bench: Bench) -> None:
    bench.hooks.say(make_outcome(), bench.lose_the_lease)
    bench.work(make_claim(), make_claim(**NEXT))
    assert bench.made("fail") == []
    assert bench.told == []
    assert bench.hooks.cancels == [30.0]
    assert bench.made("commit")[-3:] == ["train", "test", "infer"]
    assert bench.desk.journal.leases() == []
