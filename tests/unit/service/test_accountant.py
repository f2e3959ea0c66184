"""What tells of the counters, turn by turn."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from alectio_agent.agent.jobs.counters import Counters
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.agent.service.accountant import Accountant
from alectio_agent.agent.service.hourly import HourlyLine
from alectio_agent.agent.service.metrics_file import MetricsFile
from tests.support.clocks import FakeClock
from tests.support.figures import make_figures


class Bench:
    def __init__(self, file: Path | None = None) -> None:
        self.clock, self.counters, self.sent = FakeClock(), Counters(), 0
        self.hourly = HourlyLine(self.counters, lambda: self.sent, self.clock)
        written = None if file is None else MetricsFile(file)
        self.accountant = Accountant(self.hourly, self.look, written)

    def look(self):
        return make_figures(self.clock, counters=self.counters)

    def hour(self, unsent: Unsent = Unsent()) -> None:  # noqa: B008 - it never changes
        self.clock.advance(3600)
        self.hourly.look(lambda: unsent)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    return lambda: caplog.messages


def test_without_a_file_it_sleeps_for_an_hour() -> None:
    bench = Bench()
    assert bench.accountant.step() == 3600
    bench.accountant.close()


def test_metrics_are_written_four_times_a_minute(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "a.prom")
    assert bench.accountant.step() == 15
    first = (tmp_path / "a.prom").read_text()
    assert "alectio_agent_up 1\n" in first
    bench.clock.advance(15)
    bench.counters.jobs.add("done")
    bench.accountant.step()
    assert 'alectio_agent_jobs_total{class="done"} 1\n' in (tmp_path / "a.prom").read_text()


def test_an_agent_that_stops_by_itself_says_so(tmp_path: Path) -> None:
    """Else its silence would look like a kill."""
    bench = Bench(tmp_path / "a.prom")
    bench.accountant.step()
    bench.accountant.close()
    assert "alectio_agent_up 0\n" in (tmp_path / "a.prom").read_text()


def test_an_hour_names_what_was_done_and_what_was_not(told: Callable[[], list[str]]) -> None:
    bench = Bench()
    for name in ("done", "done", "oom", "user_code", "user_code"):
        bench.counters.jobs.add(name)
    for _ in range(7):
        bench.counters.steps.add("train")
        bench.counters.polls.add("empty")
    bench.counters.retries.add("results")
    bench.sent = 2048
    bench.hour(Unsent(3, 1024))
    assert told() == [
        "in the last hour: 2 jobs done, 3 not (user_code 2, oom 1), 7 steps, 7 polls, 1 retry "
        "(results 1), 2.0 KiB sent; outbox 3 (1.0 KiB)"
    ]


def test_hours_in_which_nothing_happens_are_silent_until_a_day_is_over(
    told: Callable[[], list[str]],
) -> None:
    bench = Bench()
    for _ in range(23):
        bench.counters.polls.add("empty", 180)
        bench.hour()
    assert told() == []
    bench.hour()
    [line] = told()
    assert line == (
        "in the last 24 hours: 0 jobs done, 0 not, 0 steps, 4140 polls, 0 retries, 0 B sent; "
        "outbox empty"
    )


def test_the_first_work_after_a_quiet_time_is_told_with_it(told: Callable[[], list[str]]) -> None:
    bench = Bench()
    bench.hour()
    bench.hour()
    bench.counters.jobs.add("done")
    bench.hour()
    assert len(told()) == 1
    assert told()[0].startswith("in the last 3 hours: 1 job done, 0 not")
    bench.hour()
    assert len(told()) == 1


def test_nothing_is_told_before_an_hour_is_over(told: Callable[[], list[str]]) -> None:
    bench = Bench()
    bench.counters.jobs.add("done")
    bench.clock.advance(3599)
    assert bench.accountant.step() == 1
    assert told() == []
