"""Answers that no platform gives are no answer: an error with a reason, and the agent lives."""

import gzip
import random
import socket
from collections.abc import Callable
from typing import Any

import pytest

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.transport import HttpTransport, Request
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformUnavailableError
from alectio_agent.wire.results import Heartbeat
from tests.support.wicked_servers import (
    JSON_HEAD,
    Handle,
    WickedServer,
    read_request,
    reset,
    say,
    say_once,
    whole,
)

HTML = b"<html><title>Proxy</title></html>"
OK = b'{"cancel": null}'
LONG_LINE = b"X-Long: " + b"x" * 70_000 + b"\r\n"


def page(status: str) -> bytes:
    return whole(HTML, status=status, media_type="text/html")


def beat(url: str) -> Any:
    transport = HttpTransport(url, {}, SystemClock())
    client = PlatformClient(transport, lambda: "token", SystemClock())
    return client.beat("job-1", "lease-1", Heartbeat(step="train"))


@pytest.mark.parametrize(
    ("handle", "silence", "told"),
    [
        (say(page("200 OK")), "foreign", "text/html"),
        (say(page("301 Moved Permanently\r\nLocation: http://evil/")), "foreign", "HTTP 301"),
        (say(page("307 Temporary Redirect\r\nLocation: http://evil/")), "foreign", "HTTP 307"),
        (say(page("403 Forbidden")), "foreign", "HTTP 403"),
        (say(page("407 Proxy Authentication Required")), "foreign", "HTTP 407"),
        (say(page("413 Request Entity Too Large")), "foreign", "HTTP 413"),
        (say(page("502 Bad Gateway")), "foreign", "HTTP 502"),
        (
            say(whole(gzip.compress(OK), media_type="application/json\r\nContent-Encoding: gzip")),
            "foreign",
            "is packed (gzip), unasked",
        ),
        (say(JSON_HEAD + b"Content-Length: 999999999999\r\n\r\n"), "foreign", "is larger than"),
        (say(whole(OK + b" " * 2**23)), "foreign", "is larger than 8388608 bytes"),
        (say(JSON_HEAD + LONG_LINE + b"\r\n"), "cut", "header line"),
        (say(JSON_HEAD + b"X: y\r\n" * 200 + b"\r\n"), "cut", "headers"),
        (say_once(b"\x15\x03\x01\x00\x02\x02\x46"), "cut", ""),
        (say_once(b""), "cut", "without response"),
        (say_once(JSON_HEAD + b"Content-Length: 50\r\n\r\n" + OK), "cut", "more expected"),
        (say_once(JSON_HEAD + b"Content-Length: 3\r\n\r\n" + OK), "foreign", "HeartbeatAnswer"),
        (say_once(JSON_HEAD + b"Content-Length: -3\r\n\r\n{"), "foreign", "HeartbeatAnswer"),
        (
            say_once(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "cut",
            "",
        ),
        (reset(b""), "cut", "reset"),
        (reset(b"HTTP/1.1 2"), "cut", ""),
        (reset(JSON_HEAD + b"Content-Length: 50\r\n\r\n{"), "cut", ""),
    ],
)
def test_whatever_is_no_answer_has_a_reason(handle: Handle, silence: str, told: str) -> None:
    with WickedServer(handle) as server, pytest.raises(PlatformUnavailableError) as caught:
        beat(server.url)
    assert (caught.value.silence, told in caught.value.message) == (silence, True), caught.value


def test_bytes_behind_an_answer_are_not_taken_for_the_next_one() -> None:
    with WickedServer(say(whole(OK) + whole(b'{"cancel": "smuggled"}'))) as server:
        transport = HttpTransport(server.url, {}, SystemClock())
        client = PlatformClient(transport, lambda: "token", SystemClock())
        answers = [client.beat("job-1", "lease-1", Heartbeat()).cancel for _ in range(3)]
    assert answers == [None, None, None]


def test_random_bytes_are_no_answer() -> None:
    rng = random.Random(5)
    noise = [bytes(rng.randrange(256) for _ in range(rng.randrange(1, 300))) for _ in range(30)]
    for number, start in enumerate(noise):
        answer = start if number % 2 else JSON_HEAD + start
        with WickedServer(say_once(answer)) as server, pytest.raises(PlatformUnavailableError):
            beat(server.url)


def after_answering(*last: Handle) -> Handle:
    """Answer one request, then treat the next one on the same connection otherwise."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(whole(OK))
        for each in last:
            each(connection)

    return handle


class TestKeptConnections:
    @pytest.mark.parametrize("end", [reset(b""), say_once(b"")])
    def test_one_that_had_ended_is_no_failure(self, end: Handle) -> None:
        """The platform closes idle connections; the request was under way by then."""
        with WickedServer(after_answering(end), say(whole(OK))) as server:
            transport = HttpTransport(server.url, {}, SystemClock())
            for _ in range(2):
                assert transport.send(Request("POST", "/", body=b"x")).status == 200
            assert server.connections == 2

    def test_a_body_from_a_file_begins_anew(self, tmp_path: Any) -> None:
        file = tmp_path / "part"
        file.write_bytes(b"x" * 200_000)
        taken: list[bytes] = []

        def take(connection: socket.socket) -> None:
            taken.append(read_request(connection))
            connection.sendall(whole(OK))

        with WickedServer(after_answering(reset(b"")), take) as server:
            transport = HttpTransport(server.url, {}, SystemClock())
            transport.send(Request("GET", "/"))
            assert transport.send(Request("PUT", "/", body=file)).status == 200
        assert b"Content-Length: 200000" in taken[0]

    def test_a_second_end_is_a_failure(self) -> None:
        with WickedServer(after_answering(reset(b"")), reset(b"")) as server:
            transport = HttpTransport(server.url, {}, SystemClock())
            transport.send(Request("GET", "/"))
            with pytest.raises(PlatformUnavailableError):
                transport.send(Request("GET", "/"))
            assert server.connections == 2

    def test_what_must_not_be_done_twice_is_not_asked_twice(self) -> None:
        """`experiment rewind` would go back twice as far."""
        with WickedServer(after_answering(reset(b"")), say(whole(OK))) as server:
            transport = HttpTransport(server.url, {}, SystemClock())
            transport.send(Request("GET", "/"))
            with pytest.raises(PlatformUnavailableError):
                transport.send(Request("POST", "/", is_repeatable=False))
            assert server.connections == 1


class Names:
    """Resolves `hub.invalid` to whatever the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.address = "127.0.0.1"
        self._real: Callable[..., Any] = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve)

    def _resolve(self, host: str, *more: Any, **options: Any) -> Any:
        return self._real(self.address if host == "hub.invalid" else host, *more, **options)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


class TestNamesThatMove:
    def test_after_a_failure_the_name_is_resolved_anew(self, names: Names) -> None:
        with (
            WickedServer(after_answering(), reset(b"")) as old,
            WickedServer(say(whole(b"new")), port=old.port, host="127.0.0.2"),
        ):
            transport = HttpTransport(f"http://hub.invalid:{old.port}", {}, SystemClock())
            assert transport.send(Request("GET", "/")).body == OK
            names.address = "127.0.0.2"
            assert transport.send(Request("GET", "/")).body == b"new"

    def test_a_machine_that_is_no_platform_any_more_is_left(self, names: Names) -> None:
        """The old balancer still runs and answers 502; the name leads elsewhere by now."""
        with (
            WickedServer(say(page("502 Bad Gateway"))) as old,
            WickedServer(say(whole(b"new")), port=old.port, host="127.0.0.2"),
        ):
            transport = HttpTransport(f"http://hub.invalid:{old.port}", {}, SystemClock())
            assert transport.send(Request("GET", "/")).status == 502
            names.address = "127.0.0.2"
            assert transport.send(Request("GET", "/")).body == b"new"

    def test_a_connection_that_works_is_kept(self, names: Names) -> None:
        with WickedServer(say(whole(OK))) as server:
            transport = HttpTransport(f"http://hub.invalid:{server.port}", {}, SystemClock())
            for _ in range(3):
                transport.send(Request("GET", "/"))
            assert server.connections == 1
