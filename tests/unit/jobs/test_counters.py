"""What is counted of jobs, polls, heartbeats and results."""

import logging
from pathlib import Path

import pytest

from alectio_agent.agent.jobs.run import JobRun
from alectio_agent.core.errors import (
    HookCrashedError,
    HookInterruptedError,
    LeaseLostError,
    PlatformUnavailableError,
)
from tests.support.claims import PLATFORM, make_claim
from tests.support.clocks import FakeClock
from tests.support.desks import make_desk
from tests.support.hooks import FakeHooks, make_outcome
from tests.support.platforms import FakePlatform


class Bench:
    """A job on a desk."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.platform, self.hooks = FakeClock(), FakePlatform(), FakeHooks()
        self.desk = make_desk(folder, self.platform, self.clock)
        self.claim = make_claim(attempt=2)
        self.desk.journal.put_claim("boot-1", 1, self.claim, PLATFORM)
        self.job = JobRun(self.claim, PLATFORM, self.desk, self.hooks)

    def run(self) -> None:
        while self.job.step() is not None:
            pass

    @property
    def jobs(self) -> dict[str, float]:
        amounts = self.desk.counters.jobs.amounts
        return {name: amount for name, amount in amounts.items() if amount}


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.desk.journal.close()


def test_a_job_with_all_its_results_is_done(bench: Bench) -> None:
    bench.hooks.say(make_outcome(duration_s=2.5, memory_bytes=100, gpu_bytes=7))
    bench.run()
    assert bench.jobs == {"done": 1}
    counters = bench.desk.counters
    assert counters.steps.amounts == {"train": 1, "test": 1, "infer": 1}
    assert counters.step_s.amounts == {"train": 2.5, "test": 1, "infer": 1}
    assert list(counters.memory) == [("digits", "train")]


def test_a_job_that_failed_is_counted_in_its_class(bench: Bench) -> None:
    bench.hooks.say(make_outcome(), HookCrashedError("signal 11"))
    bench.run()
    assert bench.jobs == {"crash": 1}
    assert bench.desk.counters.steps.total == 1


def test_a_job_that_was_handed_back_is_no_failure_of_a_hook(bench: Bench) -> None:
    bench.hooks.say(HookInterruptedError("stopped"))
    bench.run()
    assert bench.jobs == {"interrupted": 1}


def test_a_job_that_went_to_another_agent_is_lost(bench: Bench) -> None:
    bench.platform.say("beat", LeaseLostError("taken over"))
    bench.run()
    assert bench.jobs == {"lost": 1}


def test_a_first_heartbeat_that_comes_through_later_is_a_retry(bench: Bench) -> None:
    bench.platform.go_away("beat", "beat")
    bench.run()
    assert bench.desk.counters.retries.amounts["heartbeats"] == 2
    assert bench.jobs == {"done": 1}


class TestLag:
    def test_a_beat_that_comes_through_in_time_is_not_late(self, bench: Bench) -> None:
        beats = bench.desk.heartbeats
        assert beats.lag_s == 0
        beats.hold(bench.claim, lambda *_: None)
        bench.clock.advance(30)
        assert beats.lag_s == 0
        beats.step()
        bench.clock.advance(29)
        assert beats.lag_s == 0

    def test_beats_that_fail_are_later_and_later(self, bench: Bench) -> None:
        """Also while the next try is not due."""
        beats = bench.desk.heartbeats
        beats.hold(bench.claim, lambda *_: None)
        bench.clock.advance(30)
        bench.platform.go_away("beat", "beat")
        beats.step()
        bench.clock.advance(50)
        assert beats.lag_s == 50
        beats.step()
        bench.clock.advance(10)
        assert beats.lag_s == 60
        beats.step()
        bench.clock.advance(15)
        beats.step()
        assert beats.lag_s == 0

    def test_the_most_overdue_counts(self, bench: Bench) -> None:
        beats = bench.desk.heartbeats
        beats.hold(bench.claim, lambda *_: None)
        bench.clock.advance(40)
        beats.hold(make_claim(lease="lease-2"), lambda *_: None)
        bench.clock.advance(10)
        assert beats.lag_s == 20


def names(record: logging.LogRecord) -> tuple[str, int | None, str | None]:
    return record.job, record.attempt, record.step  # type: ignore[attr-defined]


def test_every_line_about_a_step_names_job_attempt_and_step(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "alectio_agent")
    bench.hooks.say(make_outcome(warnings=("rows sum to 1",)), HookCrashedError("signal 11"))
    bench.run()
    found = [(names(record), record.getMessage()) for record in caplog.records]
    assert [each for each, _ in found] == [("digits/1", 2, step) for step in (
        "train", "train", "train", "test", "test",
    )]  # fmt: skip
    assert found[1][1] == "digits/1 (attempt 2) train: rows sum to 1"


def test_a_line_about_a_heartbeat_names_the_step_that_runs(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    beats = bench.desk.heartbeats
    beats.hold(bench.claim, lambda *_: None)
    beats.note(bench.claim.lease, "infer")
    bench.clock.advance(30)
    bench.platform.say("beat", PlatformUnavailableError("down"))
    beats.step()
    assert [names(record) for record in caplog.records] == [("digits/1", 2, "infer")]
