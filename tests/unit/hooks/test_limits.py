"""When a call of a hook has taken too long."""

from alectio_agent.agent.hooks.limits import NO_LIMITS, Limits, Watch
from tests.support.clocks import FakeClock

PROGRESS = {"report": "progress", "done": 1}


def test_without_limits_there_is_no_end() -> None:
    clock = FakeClock()
    watch = Watch(NO_LIMITS, clock)
    clock.advance(1e9)
    assert (watch.ends_s, watch.overrun) == (None, None)


def test_the_total_runs_on_whatever_is_reported() -> None:
    clock = FakeClock()
    watch = Watch(Limits(total_s=60), clock)
    clock.advance(59)
    watch.hear(PROGRESS)
    assert watch.overrun is None
    clock.advance(1)
    assert watch.overrun == "total"


def test_each_report_of_progress_gives_the_same_time_again() -> None:
    clock = FakeClock()
    watch = Watch(Limits(no_progress_s=10), clock)
    for _ in range(5):
        clock.advance(9)
        watch.hear(PROGRESS)
    assert watch.overrun is None
    clock.advance(10)
    assert watch.overrun == "no_progress"


def test_other_reports_are_no_progress() -> None:
    clock = FakeClock()
    watch = Watch(Limits(no_progress_s=10), clock)
    clock.advance(9)
    watch.hear({})
    clock.advance(1)
    assert watch.overrun == "no_progress"


def test_the_nearest_end_is_the_one_to_wait_for() -> None:
    watch = Watch(Limits(total_s=60, no_progress_s=10), FakeClock())
    assert watch.ends_s == 10


def test_a_result_that_waits_for_room_on_the_disk_is_no_longer_timed() -> None:
    """The hook has returned: ending it now would lose what it computed."""
    clock = FakeClock()
    watch = Watch(Limits(total_s=60, no_progress_s=10), clock)
    watch.hear({"report": "waits", "reason": "full"})
    clock.advance(3600)
    assert watch.overrun is None
