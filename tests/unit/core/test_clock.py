"""The machine's clock, without waiting for it."""

from datetime import UTC, datetime, timedelta, timezone
from threading import Event

from alectio_agent.core.clock import SystemClock, coarse, timestamp


def test_a_timestamp_is_utc_with_milliseconds():
    berlin = timezone(timedelta(hours=1))
    moment = datetime(2026, 1, 31, 10, 5, 0, 250_900, tzinfo=berlin)
    assert timestamp(moment) == "2026-01-31T09:05:00.250Z"


def test_now_knows_its_zone():
    assert SystemClock().now().tzinfo is UTC


def test_the_monotonic_clock_never_goes_back():
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)


def test_a_wait_for_an_event_that_is_set_returns_at_once():
    event = Event()
    event.set()
    assert SystemClock().wait(event, 3600) is True


def test_a_wait_of_ages_is_possible():
    """`drain_timeout: 1000y` must not end in an OverflowError of the library."""
    event = Event()
    event.set()
    assert SystemClock().wait(event, 1e300) is True


def test_a_wait_of_no_or_less_than_no_time_only_looks():
    assert SystemClock().wait(Event(), 0) is False
    assert SystemClock().wait(Event(), -5) is False


def test_a_fine_timestamp_has_microseconds_and_is_made_coarse_for_the_wire():
    fine = timestamp(datetime(2026, 1, 31, 9, 5, 0, 250_999, UTC), is_fine=True)
    assert (fine, coarse(fine)) == ("2026-01-31T09:05:00.250999Z", "2026-01-31T09:05:00.250Z")
