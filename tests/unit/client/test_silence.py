"""Words for proxies that let nothing through, and for ends of a line."""

import ssl

import pytest

from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.agent.client.silence import proxy_refuses, why_silent

URL = "https://hub.example.org"
PLACE = "hub.example.org:443"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_cannot_reach_the_platform_is_not_said_to_forbid_it(status: int) -> None:
    """The platform is down, most often: who runs the proxy could not help."""
    network = read_network(URL, {"https_proxy": "http://proxy:3128"})
    assert network.proxy is not None
    said = proxy_refuses(status, network.proxy, PLACE).reason
    assert f"Is {PLACE} running, and can the proxy reach it?" in said
    assert "allow that host" not in said


def test_a_proxy_that_forbids_a_host_is_said_to() -> None:
    network = read_network(URL, {"https_proxy": "http://proxy:3128"})
    assert network.proxy is not None
    said = proxy_refuses(403, network.proxy, PLACE).reason
    assert "Ask who runs it to allow that host" in said


def test_a_wrong_password_is_looked_for_where_it_was_given() -> None:
    """There may be no file of credentials at all."""
    network = read_network(URL, {"HTTPS_PROXY": "http://me:wrong@proxy:3128"})
    assert network.proxy is not None
    said = proxy_refuses(407, network.proxy, PLACE).reason
    assert "Those of $HTTPS_PROXY are wrong, or expired" in said
    assert "credentials_file" not in said
    assert "me:wrong" not in said


def make_eof() -> ssl.SSLEOFError:
    ended = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    ended.reason = "EOF"
    return ended


@pytest.mark.parametrize("ended", [make_eof(), ConnectionResetError(104, "reset")])
def test_an_end_behind_the_handshake_may_be_about_our_certificate(ended: OSError) -> None:
    """A server that misses our certificate may end the line before its alert is read."""
    said = why_silent(ended, URL, Network(), "new")
    assert "as soon as TLS was ready" in said.reason
    assert said.code == "E-TLS-06"
    for later in (
        why_silent(ended, URL, Network(), "used"),
        why_silent(ended, URL.replace("https:", "http:"), Network(), "new"),
        why_silent(ended, URL, Network()),
    ):
        assert "as soon as TLS was ready" not in later.reason


def test_an_end_instead_of_the_handshake_is_named_as_such() -> None:
    assert "instead of a TLS handshake" in why_silent(make_eof(), URL, Network()).reason
