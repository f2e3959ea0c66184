"""What an agent tells of itself at a moment."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.agent.client.traffic import Traffic
from alectio_agent.agent.jobs.run import JobRun
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.jobs.slots import Slots
from alectio_agent.agent.jobs.step_marks import Noted, StepMark
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.snapshot import AgentSnapshot, Sources, StopState, take_snapshot
from alectio_agent.wire.results import Progress
from tests.support.claims import make_claim
from tests.support.clocks import FakeClock
from tests.support.desks import make_desk
from tests.support.hooks import FakeHooks
from tests.support.platforms import FakePlatform


class Bench:
    """A slot with a job on a real journal."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.desk = make_desk(folder, FakePlatform(), self.clock)
        self.hooks = FakeHooks()
        self.slot = Slot(self.hooks, threading.Event().set)
        self.slots = Slots([self.slot])
        self.traffic = Traffic(self.clock)
        self.failing = self.held_back = ""
        self.claim = make_claim()
        self.desk.journal.put_claim("boot-1", 1, self.claim, "platform-1")

    def give(self) -> None:
        self.slot.give(JobRun(self.claim, "platform-1", self.desk, self.hooks))

    def look(self, folder: Path) -> AgentSnapshot:
        sources = Sources(
            name="gpu01", slots=self.slots, heartbeats=self.desk.heartbeats,
            journal=self.desk.journal, traffic=self.traffic, folder=folder,
            log_folder=folder / "logs", trouble=lambda: "",
            failing={"results": lambda: self.failing, "polls": lambda: ""},
            held_back=lambda: self.held_back,
        )  # fmt: skip
        return take_snapshot(
            sources, self.clock.monotonic(), is_registered=True, is_leaving=False, stops=StopState()
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.desk.journal.close()


def test_an_agent_without_a_job_is_idle(bench: Bench, tmp_path: Path) -> None:
    seen = bench.look(tmp_path)
    assert (seen.name, seen.state, seen.jobs) == ("gpu01", "idle", ())
    assert seen.free_bytes is not None


def test_a_job_in_hand_tells_its_steps(bench: Bench, tmp_path: Path) -> None:
    bench.give()
    bench.slot.step()  # the first heartbeat
    bench.slot.step()  # train
    (job,) = bench.look(tmp_path).jobs
    assert [(mark.step, mark.state) for mark in job.steps] == [
        ("train", "done"),
        ("test", "next"),
        ("infer", "next"),
    ]
    assert job.steps[0].took_s is not None
    assert job.log_file.parent == tmp_path / "logs"


def test_why_no_job_is_asked_for_is_told(bench: Bench, tmp_path: Path) -> None:
    assert bench.look(tmp_path).held_back == ""
    bench.held_back = "paused since noon"
    assert bench.look(tmp_path).held_back == "paused since noon"


def test_a_paused_slot_ends_its_idle_hook_process(bench: Bench) -> None:
    """Whoever paused the agent may need its GPU; a job in hand keeps its own."""
    paused = [False]
    bench.slot.is_paused = lambda: paused[0]
    bench.slot.step()
    assert bench.hooks.refreshed == 0
    paused[0] = True
    bench.slot.step()
    assert bench.hooks.refreshed == 1
    bench.give()
    bench.slot.step()
    assert bench.hooks.refreshed == 1


def test_what_waits_in_the_outbox_is_counted(bench: Bench, tmp_path: Path) -> None:
    assert bench.look(tmp_path).unsent == Unsent(0, 0)
    bench.give()
    while not bench.slot.is_free:
        bench.slot.step()
    assert bench.look(tmp_path).unsent.messages == 3


def test_a_job_that_ended_is_remembered(bench: Bench, tmp_path: Path) -> None:
    bench.give()
    while not bench.slot.is_free:
        bench.slot.step()
    [ended] = bench.look(tmp_path).ended
    assert (ended.job, ended.ending) == (bench.claim.job, "done")


def test_progress_belongs_to_the_step_that_runs(bench: Bench, tmp_path: Path) -> None:
    beats, lease = bench.desk.heartbeats, bench.claim.lease
    bench.give()
    bench.slot.step()
    beats.note(lease, "train")
    beats.note_progress(lease, 1, 20, {})
    bench.clock.advance(60)
    beats.note_progress(lease, 2, 20, {"loss": 0.5})
    (job,) = bench.look(tmp_path).jobs
    assert job.noted == Noted(Progress(done=2, total=20, numbers={"loss": 0.5}), 60, 1, 0)
    beats.note(lease, "test")
    (after,) = bench.look(tmp_path).jobs
    assert after.noted is None


def test_a_closed_journal_stops_nobody_from_looking(bench: Bench, tmp_path: Path) -> None:
    bench.desk.journal.close()
    assert bench.look(tmp_path).unsent == Unsent()


def test_a_mark_is_replaced_and_never_changed(bench: Bench) -> None:
    """Another thread may hold it."""
    bench.give()
    run = bench.slot.in_hand
    assert run is not None
    before = run.marks.all
    run.marks.begin("train", 3.0)
    assert before[0] == StepMark("train")
    assert run.marks.all[0] == StepMark("train", "running", 3.0)


def test_what_fails_again_and_again_is_named(bench: Bench, tmp_path: Path) -> None:
    """Polls get through a proxy that refuses every result."""
    assert bench.look(tmp_path).failing == {}
    bench.failing = "HTTP 413 that is not the platform's"
    assert bench.look(tmp_path).failing == {"results": "HTTP 413 that is not the platform's"}
