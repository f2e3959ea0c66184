"""The transport against real sockets that behave badly."""

import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from alectio_agent.agent.client.transport import HttpTransport, Request
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformUnavailableError


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Serve each connection with a function; gives the URL."""
    servers = []
    threads = []
    open_connections = []

    def start(handle: Callable[[socket.socket], None]) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        servers.append(listening)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                open_connections.append(connection)
                try:
                    handle(connection)
                except OSError:
                    pass
                finally:
                    connection.close()

        threads.append(threading.Thread(target=accept, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for listening in servers:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
    for connection in open_connections:
        connection.close()
    for thread in threads:
        thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"


def test_half_a_body_is_no_answer(serve) -> None:
    def half(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b'{"sta')

    with pytest.raises(PlatformUnavailableError, match="no answer"):
        HttpTransport(serve(half), {}, SystemClock()).send(Request("GET", "/"))


def test_a_large_answer_goes_into_its_sink_as_it_comes(serve) -> None:
    def whole(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b"0123456789")

    received = bytearray()
    request = Request("GET", "/", sink=received.extend)
    answer = HttpTransport(serve(whole), {}, SystemClock()).send(request)
    assert (bytes(received), answer.body) == (b"0123456789", b"")


def test_a_refusal_does_not_go_into_the_sink(serve) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD.replace(b"200 OK", b"404 Not Found") + b"0123456789")

    received = bytearray()
    request = Request("GET", "/", sink=received.extend)
    answer = HttpTransport(serve(refuse), {}, SystemClock()).send(request)
    assert (bytes(received), answer.body) == (b"", b"0123456789")


def test_half_a_body_in_the_sink_is_no_answer(serve) -> None:
    def half(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b"01234")

    request = Request("GET", "/", sink=bytearray().extend)
    with pytest.raises(PlatformUnavailableError, match="no answer"):
        HttpTransport(serve(half), {}, SystemClock()).send(request)


def test_a_server_that_hangs_up_is_no_answer(serve) -> None:
    with pytest.raises(PlatformUnavailableError, match="no answer"):
        HttpTransport(serve(lambda connection: None), {}, SystemClock()).send(Request("GET", "/"))


def test_a_refused_connection_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(PlatformUnavailableError, match="refused"):
        HttpTransport(f"http://127.0.0.1:{port}", {}, SystemClock()).send(Request("GET", "/"))


def test_an_interrupt_cuts_a_held_poll_at_once(serve) -> None:
    """A stop must not wait for the end of a 20 s hold."""
    asked = threading.Event()

    def hold(connection: socket.socket) -> None:
        connection.recv(65536)
        asked.set()
        connection.recv(1)  # returns when the client is gone

    transport = HttpTransport(serve(hold), {}, SystemClock())
    failures: list[Exception] = []

    def poll() -> None:
        try:
            transport.send(Request("GET", "/", read_timeout_s=50))
        except PlatformUnavailableError as error:
            failures.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    assert asked.wait(10)
    transport.interrupt()
    thread.join(10)
    assert not thread.is_alive()
    assert len(failures) == 1
    with pytest.raises(PlatformUnavailableError, match="interrupted"):
        transport.send(Request("GET", "/"))


@pytest.mark.parametrize("is_kept", [False, True], ids=["a fresh connection", "a kept one"])
def test_a_cut_ends_what_is_under_way_and_nothing_else(serve, *, is_kept: bool) -> None:
    """It is not tried again by itself, as a kept connection that has ended would be."""
    asked = threading.Event()

    def hold(connection: socket.socket) -> None:
        while request := connection.recv(65536):
            if b"GET /held" in request:
                asked.set()
            else:
                connection.sendall(HEAD + b"0123456789")

    transport = HttpTransport(serve(hold), {}, SystemClock())
    failures: list[PlatformUnavailableError] = []

    def poll() -> None:
        if is_kept:
            transport.send(Request("GET", "/"))
        try:
            transport.send(Request("GET", "/held", read_timeout_s=50))
        except PlatformUnavailableError as error:
            failures.append(error)
        answers.append(transport.send(Request("GET", "/")).body)

    answers: list[bytes] = []
    thread = threading.Thread(target=poll)
    thread.start()
    assert asked.wait(10)
    transport.cut()
    thread.join(10)
    assert [error.silence for error in failures] == ["interrupted"]
    assert answers == [b"0123456789"]


class Proxy:
    """Answers every request itself, and keeps what it was asked."""

    def __init__(self, serve: Callable[[Callable[[socket.socket], None]], str]) -> None:
        self.asked: list[bytes] = []
        self.url = serve(self._answer)

    def _answer(self, connection: socket.socket) -> None:
        self.asked.append(connection.recv(65536))
        connection.sendall(HEAD + b"from proxy")


@pytest.fixture
def proxy(serve) -> Proxy:
    return Proxy(serve)


def answer_itself(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(HEAD + b"0123456789")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_no_proxy_hears_of_a_call_to_this_machine(
    serve, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, host: str, name: str
) -> None:
    """The hub in the box is asked with an operator's token: no other machine may see it."""
    monkeypatch.setenv(name, proxy.url)
    url = serve(answer_itself).replace("127.0.0.1", host)
    sent = HttpTransport(url, os.environ, SystemClock()).send(Request("GET", "/"))
    assert sent.body == b"0123456789"
    assert proxy.asked == []


def test_a_hub_elsewhere_is_reached_through_the_proxy(proxy: Proxy) -> None:
    transport = HttpTransport("http://hub.invalid", {"HTTP_PROXY": proxy.url}, SystemClock())
    assert transport.send(Request("GET", "/v1")).body == b"from proxy"
    assert proxy.asked[0].startswith(b"GET http://hub.invalid/v1 ")


@pytest.mark.parametrize("spared", ["hub.invalid", ".invalid", "*"])
def test_no_proxy_for_what_the_environment_spares(proxy: Proxy, spared: str) -> None:
    environment = {"http_proxy": proxy.url, "NO_PROXY": spared}
    with pytest.raises(PlatformUnavailableError):
        HttpTransport("http://hub.invalid", environment, SystemClock()).send(Request("GET", "/"))
    assert proxy.asked == []


def test_variables_in_small_letters_count_before_capitals(proxy: Proxy) -> None:
    environment = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": proxy.url}
    transport = HttpTransport("http://hub.invalid", environment, SystemClock())
    assert transport.send(Request("GET", "/")).body == b"from proxy"
