"""Requests that never end are cut, in whatever stage they are."""

import socket
import threading

import pytest

from alectio_agent.agent.client.deadlines import Deadlines
from alectio_agent.agent.client.transport import HttpTransport, Request
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformUnavailableError
from tests.support.clocks import HurriedClock
from tests.support.wicked_servers import JSON_HEAD, WickedServer, drip, say, stall, whole

LONG = JSON_HEAD + b"Content-Length: 1000000\r\n\r\n"


def send(url: str, **request: object) -> PlatformUnavailableError:
    """Send a request that is cut; a socket's own timeouts would come a hundred times later."""
    transport = HttpTransport(url, {}, SystemClock(), deadlines=Deadlines(HurriedClock()))
    with pytest.raises(PlatformUnavailableError) as caught:
        transport.send(Request("POST", "/", **request))  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"", "the headers of the answer took longer than 35 s"),
        (b"HTTP/1.1 200", "the headers of the answer took longer than 35 s"),
        (JSON_HEAD + b"X-Long: ", "the headers of the answer took longer than 35 s"),
        (LONG, "the answer took longer than 120 s"),
        (JSON_HEAD + b"\r\n", "the answer took longer than 120 s"),
        (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;", "the answer took longer than 120 s"),
        (b"HTTP/1.1 100 Continue\r\nX: ", "the headers of the answer took longer than 35 s"),
    ],
)
def test_an_answer_that_drips_is_cut(start: bytes, told: str) -> None:
    """A byte now and then defeats every read timeout."""
    with WickedServer(drip(start)) as server:
        error = send(server.url)
    assert told in error.message
    assert error.silence == "late"


def test_an_answer_that_stalls_after_its_headers_is_cut() -> None:
    with WickedServer(stall(LONG)) as server:
        assert "longer than 60 s" in send(server.url, total_s=60).message


def test_a_handshake_that_drips_is_cut() -> None:
    """TLS reads its records byte by byte, each with a timeout of its own."""

    def greet(connection: socket.socket) -> None:
        connection.recv(65536)
        drip_record(connection)

    with WickedServer(greet) as server:
        error = send(server.url.replace("http:", "https:"))
    assert "to connect took longer than 30 s" in error.message
    assert error.silence == "unreachable"


def test_a_proxy_that_drips_its_answer_to_connect_is_cut() -> None:
    with WickedServer(drip(b"HTTP/1.1 200 OK\r\nX: ")) as server:
        environment = {"https_proxy": server.url}
        transport = HttpTransport(
            "https://hub.invalid", environment, SystemClock(), deadlines=Deadlines(HurriedClock())
        )
        with pytest.raises(PlatformUnavailableError, match="to connect took longer than 30 s"):
            transport.send(Request("GET", "/"))


def drip_record(connection: socket.socket) -> None:
    """A TLS record of a handshake that never becomes whole."""
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    connection.settimeout(0.005)
    while True:
        connection.sendall(b"x")
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def test_an_upload_that_nobody_takes_is_cut() -> None:
    """The receiver's buffers are full, and it never reads."""
    done = threading.Event()
    with WickedServer(lambda _: done.wait(30)) as server:  # type: ignore[arg-type,return-value]
        error = send(server.url, body=b"x" * 2**25)
        done.set()
    assert "nothing could be sent for longer than 35 s" in error.message


def test_an_upload_goes_on_for_as_long_as_bytes_leave() -> None:
    """On a slow line a body takes longer than any one deadline."""

    def take_slowly(connection: socket.socket) -> None:
        pause, left = threading.Event(), 2**23
        while left > 0:
            left -= len(connection.recv(65536))
            pause.wait(0.002)
        connection.sendall(whole(b"{}"))

    hurried = HurriedClock()
    with WickedServer(take_slowly) as server:
        transport = HttpTransport(server.url, {}, SystemClock(), deadlines=Deadlines(hurried))
        started_s = hurried.monotonic()
        assert transport.send(Request("POST", "/", body=b"x" * 2**23)).status == 200
        assert hurried.monotonic() - started_s > 35


def test_one_thread_serves_all_transports() -> None:
    deadlines = Deadlines(SystemClock())
    before = threading.active_count()
    with WickedServer(say(whole(b"{}"))) as server:
        for _ in range(3):
            transport = HttpTransport(server.url, {}, SystemClock(), deadlines=deadlines)
            assert transport.send(Request("GET", "/")).body == b"{}"
    names = [thread.name for thread in threading.enumerate()]
    assert threading.active_count() - before == 1
    assert "deadlines" in names
