"""What people are told to do about a hub."""

from alectio_agent.cli.hub_hints import silence_mend
from alectio_agent.core.errors import PlatformUnavailableError


def test_a_hub_that_gives_no_answer_may_want_tls() -> None:
    """A server that speaks TLS ends a plain connection without a word."""
    assert "https:// when it has a certificate" in silence_mend(PlatformUnavailableError("closed"))


def test_a_reason_that_says_the_mend_itself_gets_no_other_one() -> None:
    assert silence_mend(PlatformUnavailableError("unknown CA", code="E-TLS-01")) == ""
