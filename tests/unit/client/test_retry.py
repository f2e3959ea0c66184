"""Waits between tries, without waiting."""

import random

import pytest

from alectio_agent.agent.client.retry import Backoff
from alectio_agent.core.errors import NotAuthorizedError, PlatformUnavailableError


class HighestJitter(random.Random):
    """Always draws the upper end, so that a test sees the ceilings."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_ceilings_double_from_one_second_to_sixty_and_stay() -> None:
    backoff = Backoff(HighestJitter())
    assert [backoff.failed() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_success_starts_afresh() -> None:
    backoff = Backoff(HighestJitter())
    for _ in range(5):
        backoff.failed()
    backoff.succeeded()
    assert (backoff.failures, backoff.failed()) == (0, 1)


def test_the_wait_is_jittered_over_the_whole_range() -> None:
    """Full jitter: a thousand agents must not come back in the same second."""
    waits = []
    for seed in range(200):
        backoff = Backoff(random.Random(seed))
        for _ in range(7):
            wait_s = backoff.failed()
        waits.append(wait_s)
    assert min(waits) < 3
    assert max(waits) > 57
    assert all(0 <= wait_s <= 60 for wait_s in waits)


def test_retry_after_is_honoured_and_clamped() -> None:
    backoff = Backoff(HighestJitter())
    assert backoff.failed(PlatformUnavailableError("busy", retry_after_s=20)) == 20
    assert backoff.failed(PlatformUnavailableError("busy", retry_after_s=86400)) == 300


def test_ten_thousand_failures_still_give_a_wait() -> None:
    backoff = Backoff(HighestJitter())
    assert [backoff.failed() for _ in range(10_000)][-1] == 60


def test_the_reason_is_named_after_three_failures() -> None:
    backoff = Backoff(HighestJitter())
    told = []
    for number in range(4):
        backoff.failed(PlatformUnavailableError(f"HTTP 50{number}\n"))
        told.append(backoff.trouble)
    assert told == ["", "", "HTTP 502\\x0a", "HTTP 503\\x0a"]
    backoff.succeeded()
    assert backoff.trouble == ""


def test_a_limit_counts_for_what_is_asked_too() -> None:
    backoff = Backoff(HighestJitter())
    assert backoff.failed(PlatformUnavailableError("busy", retry_after_s=200), most_s=15) == 15


def test_a_refused_token_is_tried_again_after_a_minute_or_two() -> None:
    backoff = Backoff(random.Random(1))
    waits = [backoff.refused(ValueError("expired")) for _ in range(100)]
    assert 60 <= min(waits) < 63
    assert 117 < max(waits) <= 120
    assert backoff.failures == 100


@pytest.mark.parametrize("asked_s", [0.0, -5.0, None])
def test_who_asks_for_no_wait_gets_the_usual_one(asked_s: float | None) -> None:
    backoff = Backoff(HighestJitter())
    assert backoff.failed(PlatformUnavailableError("busy", retry_after_s=asked_s)) == 1


def test_each_kind_of_failure_is_news_once_until_a_success() -> None:
    """A hub that comes back with another certificate would otherwise never be told of."""
    backoff = Backoff(HighestJitter())
    gone = PlatformUnavailableError("Connection refused")
    unknown = PlatformUnavailableError("another CA", code="E-TLS-01")
    news = []
    for error in (gone, gone, gone, unknown, gone, unknown):
        backoff.failed(error)
        news.append(backoff.is_news)
    assert news == [True, False, False, True, False, False]
    backoff.succeeded()
    backoff.failed(gone)
    assert backoff.is_news


def test_each_failure_is_counted_where_somebody_counts() -> None:
    counted = []
    backoff = Backoff(random.Random(1), on_failure=lambda: counted.append("one"))
    backoff.failed()
    backoff.refused(NotAuthorizedError("no", problem="expired"))
    backoff.succeeded()
    assert len(counted) == 2
