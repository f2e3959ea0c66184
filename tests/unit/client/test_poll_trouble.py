"""What a person reads about polls that fail."""

import random

import pytest

from alectio_agent.agent.client.poll_trouble import PollTrouble
from alectio_agent.core.errors import (
    NotAuthorizedError,
    PlatformRejectedError,
    PlatformUnavailableError,
)

GONE = PlatformUnavailableError("Connection refused")
CHANGED = PlatformUnavailableError("another CA. Nothing was sent to it.", code="E-TLS-01")


@pytest.fixture
def trouble(caplog: pytest.LogCaptureFixture) -> PollTrouble:
    caplog.set_level("INFO")
    return PollTrouble(random.Random(1))


def test_an_outage_of_hours_is_one_line_and_its_end_another(
    trouble: PollTrouble, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(500):
        trouble.failed(GONE, "retry")
    assert trouble.text == "Connection refused"
    trouble.succeeded()
    trouble.succeeded()
    assert caplog.messages == [
        "E-NET-01  Connection refused. Trying again for as long as it takes",
        "the platform answers again",
    ]


def test_what_goes_wrong_later_in_an_outage_is_told_too(
    trouble: PollTrouble, caplog: pytest.LogCaptureFixture
) -> None:
    """The hub was down, and is back with a certificate that nobody knows."""
    for error in (GONE, GONE, GONE, GONE, CHANGED):
        trouble.failed(error, "retry")
    assert caplog.messages[1:] == [
        "E-TLS-01  another CA. Nothing was sent to it. Trying again for as long as it takes"
    ]


def test_the_mend_at_the_end_of_a_long_message_is_told_whole(
    trouble: PollTrouble, caplog: pytest.LogCaptureFixture
) -> None:
    long = PlatformUnavailableError(f"{'/long' * 60}/ca.pem. Put it into that file")
    trouble.failed(long, "retry")
    assert "Put it into that file. Trying again" in caplog.text
    assert trouble.text.endswith("Put it into that file")


def test_a_token_that_is_refused_after_an_outage_is_told(
    trouble: PollTrouble, caplog: pytest.LogCaptureFixture
) -> None:
    trouble.failed(GONE, "retry")
    refused = NotAuthorizedError("expired", problem="expired")
    assert trouble.failed(refused, "slow") >= 60
    assert "refuses the token: expired. Bring the right one, alectio-agent enroll" in caplog.text


def test_what_was_expected_is_not_told_and_neither_is_its_end(
    trouble: PollTrouble, caplog: pytest.LogCaptureFixture
) -> None:
    trouble.expect()
    trouble.failed(GONE, "retry")
    trouble.succeeded()
    assert caplog.messages == []


def test_a_registration_ends_the_trouble_but_not_the_growth_of_waits(trouble: PollTrouble) -> None:
    """A platform that registers and then refuses each poll must not be asked every second."""
    for _ in range(3):
        trouble.failed(GONE, "retry")
    trouble.reached()
    assert (trouble.text, trouble.failures) == ("", 3)


UNKNOWN = PlatformRejectedError("register again", problem="unknown-agent")


def test_a_platform_that_is_back_and_wants_a_registration_gets_it_soon(
    trouble: PollTrouble, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        trouble.failed(GONE, "retry")
    assert trouble.failed(UNKNOWN, "register") <= 1
    assert caplog.messages[-1] == "the platform answers again"


def test_a_platform_that_wants_a_registration_each_time_is_asked_ever_more_seldom(
    trouble: PollTrouble,
) -> None:
    waits = []
    for _ in range(50):
        waits.append(trouble.failed(UNKNOWN, "register"))
        trouble.reached()
    assert max(waits) > 30
    trouble.succeeded()
    assert trouble.failed(UNKNOWN, "register") <= 1
