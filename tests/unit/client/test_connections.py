"""The session whose calls are prepared once."""

from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from alectio_agent.agent.client.connections import LightSession, LiveSockets, TrackingAdapter
from alectio_agent.agent.client.deadlines import Deadlines, Watch
from tests.support.clocks import FakeClock

URL = "http://hub.invalid/v1"


@pytest.fixture
def session() -> requests.Session:
    made = LightSession()
    made.mount("http://", TrackingAdapter(LiveSockets(), Watch(Deadlines(FakeClock()))))
    return made


def put(session: requests.Session, body: Any) -> requests.PreparedRequest:
    with responses.RequestsMock() as platform:
        platform.put(URL, body=b"ok", headers={"Set-Cookie": "a=b"})
        headers = {"Alectio-Lease": "x", "Accept-Encoding": "identity"}
        with session.request("PUT", URL, data=body, headers=headers, timeout=(1, 1)) as answer:
            assert answer.raw.read() == b"ok"
        return platform.calls[0].request


def test_a_file_is_announced_with_its_length(session: requests.Session, tmp_path: Path) -> None:
    """Otherwise it would go in chunks, which some proxies refuse."""
    file = tmp_path / "part"
    file.write_bytes(b"x" * 3000)
    with file.open("rb") as stream:
        assert put(session, stream).headers["Content-Length"] == "3000"


def test_an_empty_body_has_a_length_too(session: requests.Session) -> None:
    assert put(session, b"").headers["Content-Length"] == "0"


def test_headers_of_the_call_come_before_those_of_all_calls(session: requests.Session) -> None:
    told = put(session, b"x").headers
    assert told["Accept-Encoding"] == "identity"
    assert told["Alectio-Lease"] == "x"
    assert "User-Agent" in told


def test_a_cookie_does_not_come_back(session: requests.Session) -> None:
    """Nobody asks for it: a platform knows its agents by their tokens."""
    put(session, b"x")
    assert "Cookie" not in put(session, b"x").headers
