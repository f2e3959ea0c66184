"""Requests that never end are cut, in whatever stage they are."""

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from alectio_agent.agent.client.deadlines import Deadlines
from alectio_agent.agent.client.transport import HttpTransport, Request
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformUnavailableError
from tests.support.clocks import HurriedClock
from tests.support.wicked_servers import JSON_HEAD, Handle, WickedServer, drip, say, stall, whole

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


def test_a_stop_cuts_a_handshake_too() -> None:
    """The other side took the connection and says nothing: a stop must not wait for it."""
    greeted, failures = threading.Event(), []

    def say_nothing(connection: socket.socket) -> None:
        connection.recv(65536)
        greeted.set()
        connection.recv(1)

    with WickedServer(say_nothing) as server:
        transport = HttpTransport(server.url.replace("http:", "https:"), {}, SystemClock())

        def ask() -> None:
            try:
                transport.send(Request("GET", "/"))
            except PlatformUnavailableError as error:
                failures.append(error.silence)

        thread = threading.Thread(target=ask)
        thread.start()
        assert greeted.wait(10)
        transport.interrupt()
        thread.join(8)  # the socket's own timeout would end it after 10
        assert not thread.is_alive()
    assert failures == ["interrupted"]


class TestOverTls:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def trusted(self, authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        return {"REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")}

    @pytest.fixture
    def over_tls(self, authority: trustme.CA) -> Callable[[Handle], Handle]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)

        def over(handle: Handle) -> Handle:
            def wrapped(connection: socket.socket) -> None:
                with context.wrap_socket(connection, server_side=True) as secure:
                    handle(secure)

            return wrapped

        return over

    def test_requests_and_large_bodies_pass_on_one_connection(
        self, over_tls: Callable[[Handle], Handle], trusted: dict[str, str]
    ) -> None:
        with WickedServer(over_tls(say(whole(b"{}")))) as server:
            url = server.url.replace("http:", "https:")
            transport = HttpTransport(url, trusted, SystemClock())
            for body in (b"x", b"x" * 2**23, None):
                assert transport.send(Request("PUT", "/", body=body)).body == b"{}"
            assert server.connections == 1

    @pytest.mark.parametrize(
        ("start", "told"), [(b"HTTP/1.1 2", "headers of the answer"), (LONG, "the answer took")]
    )
    def test_an_answer_that_drips_is_cut(
        self,
        over_tls: Callable[[Handle], Handle],
        trusted: dict[str, str],
        start: bytes,
        told: str,
    ) -> None:
        with WickedServer(over_tls(drip(start))) as server:
            url = server.url.replace("http:", "https:")
            deadlines = Deadlines(HurriedClock(20))
            transport = HttpTransport(url, trusted, SystemClock(), deadlines=deadlines)
            with pytest.raises(PlatformUnavailableError, match=told):
                transport.send(Request("GET", "/", read_timeout_s=5, total_s=10))


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
