"""Odd and broken HTTP over real connections: a problem document, or a plain answer, never more."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.support.hub_process import Hub, listening_socket
from tests.support.lines import Line, open_line

REGISTRATION = json.dumps(
    {
        "installation_id": "installation-1",
        "boot": {"count": 1, "id": "boot-1"},
        "name": "gpu01",
        "version": "1",
        "pipelines": [],
    }
).encode()
PLATFORM = "/v1/platform"
NO_JOB = f"/v1/jobs/nothing/parts/{'0' * 64}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all: nothing here may harm it, or make it say a word on its error output."""
    with listening_socket() as bound:
        started = Hub.embedded(tmp_path_factory.mktemp("bad") / "hub", bound)
        yield started
        assert started.stop() == (0, "")


@pytest.fixture
def line(hub: Hub) -> Iterator[Line]:
    with open_line(hub) as opened:
        yield opened


def is_open(line: Line) -> bool:
    """Whether the connection takes one more request, and answers that one."""
    line.send(line.head("GET", PLATFORM))
    answer = line.read()
    return answer.status == 200 and b"platform_id" in answer.body


class TestWhatIsNotServed:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/nothing"),
            ("GET", "//v1/platform"),
            ("GET", "/v1/platform/"),
            ("GET", "/" + "a" * 60_000),
            ("PATCH", "/v1/agents"),
            ("TRACE", "/v1/agents"),
            ("OPTIONS", "/v1/claims"),
            ("OPTIONS", "*"),
        ],
        ids=lambda text: text[:20],
    )
    def test_is_not_found_and_the_connection_goes_on(
        self, line: Line, method: str, path: str
    ) -> None:
        line.send(line.head(method, path))
        answer = line.read()
        assert (answer.status, answer.problem["type"]) == (404, "not-found")
        assert len(answer.body) < 1000
        assert is_open(line)

    def test_head_is_answered_without_a_body(self, line: Line) -> None:
        line.send(line.head("HEAD", PLATFORM))
        answer = line.read(is_head=True)
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert is_open(line)


class TestBytesThatAreNoRequest:
    @pytest.mark.parametrize(
        "sent",
        [
            b"\x16\x03\x01\x02\x00 hello, is this TLS?\r\n\r\n",
            b"BREW /v1/agents HTTP/1.1\r\nHost: hub\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"CONNECT example.org:443 HTTP/1.1\r\nHost: hub\r\n\r\n",
            b"GET /v1/\xc3\xa9 HTTP/1.1\r\nHost: hub\r\n\r\n",
            b"GET /v1/platform HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET /v1/platform HTTP/1.1\r\nX: a\x00b\r\n\r\n",
            b"GET /v1/platform HTTP/1.1\nHost: hub\n\n",
            b"POST /v1/agents HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"POST /v1/agents HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        ],
        ids=lambda sent: repr(sent[:30]),
    )
    def test_are_named_and_end_the_connection(self, line: Line, sent: bytes) -> None:
        line.send(sent)
        answer = line.read()
        assert (answer.status, answer.problem["type"]) == (400, "about:blank")
        assert line.is_at_its_end

    def test_a_length_beside_chunks_is_refused(self, line: Line) -> None:
        """Two readers would see two requests: the way that requests are smuggled."""
        line.send(
            line.head("POST", "/v1/agents", "Content-Length: 5", "Transfer-Encoding: chunked")
        )
        assert line.read().status == 400
        assert line.is_at_its_end

    def test_a_broken_chunk_is_refused(self, line: Line) -> None:
        line.send(line.head("POST", "/v1/agents", "Transfer-Encoding: chunked"), "zz\r\n")
        assert line.read().problem["status"] == 400
        assert line.is_at_its_end

    def test_a_head_without_end_is_refused(self, line: Line) -> None:
        line.send("GET /v1/platform HTTP/1.1\r\nX: ", b"a" * 70_000)
        answer = line.read()
        assert (answer.status, answer.problem["type"]) == (431, "about:blank")


class TestOddButRight:
    def test_http_1_0_gets_an_answer_and_the_end(self, line: Line) -> None:
        line.send(line.head("GET", PLATFORM, version="HTTP/1.0"))
        answer = line.read()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert line.is_at_its_end

    def test_a_whole_url_is_as_good_as_a_path(self, line: Line) -> None:
        line.send(line.head("GET", "http://hub" + PLATFORM))
        assert line.read().status == 200

    def test_a_body_in_chunks_is_read(self, line: Line) -> None:
        half = len(REGISTRATION) // 2
        line.send(line.head("POST", "/v1/agents", "Transfer-Encoding: chunked"))
        for piece in (REGISTRATION[:half], REGISTRATION[half:], b""):
            line.send(f"{len(piece):x}\r\n", piece, "\r\n")
        assert line.read().status == 200
        assert is_open(line)

    def test_a_body_that_waits_to_be_asked_for_is_asked_for(self, line: Line) -> None:
        length = f"Content-Length: {len(REGISTRATION)}"
        line.send(line.head("POST", "/v1/agents", length, "Expect: 100-continue"))
        assert line.read_head() == (100, {})
        line.send(REGISTRATION)
        assert line.read().status == 200

    def test_a_refused_body_is_not_asked_for(self, line: Line) -> None:
        more = ("Content-Length: 9", "Expect: 100-continue", "Alectio-Lease: nothing")
        line.send(line.head("PUT", NO_JOB, *more))
        assert line.read().problem["type"] == "lease-lost"

    def test_requests_in_a_row_are_answered_in_their_order(self, line: Line) -> None:
        line.send(line.head("GET", PLATFORM) + line.head("GET", "/a") + line.head("GET", PLATFORM))
        assert [line.read().status for _ in range(3)] == [200, 404, 200]

    @pytest.mark.parametrize("offer", ["websocket", "h2c"])
    def test_another_protocol_is_not_taken_up(self, line: Line, offer: str) -> None:
        line.send(line.head("GET", PLATFORM, "Connection: Upgrade", f"Upgrade: {offer}"))
        assert line.read().status == 200
        assert is_open(line)

    def test_empty_lines_before_a_request_are_skipped(self, line: Line) -> None:
        line.send("\r\n\r\n", line.head("GET", PLATFORM))
        assert line.read().status == 200


class TestAfterARefusal:
    def test_a_small_body_that_is_invalid_leaves_the_connection_open(self, line: Line) -> None:
        line.send(line.head("POST", "/v1/agents", "Content-Length: 2"), "{}")
        assert line.read().problem["type"] == "invalid"
        assert is_open(line)

    def test_a_part_that_is_not_read_is_refused_before_it_has_come(self, line: Line) -> None:
        line.send(line.head("PUT", NO_JOB, "Content-Length: 300000", "Alectio-Lease: nothing"))
        assert line.read().problem["type"] == "lease-lost"

    def test_a_part_that_comes_nevertheless_is_not_taken_for_a_request(self, line: Line) -> None:
        """Bytes of a body must never be read as the head of another request."""
        line.send(line.head("PUT", NO_JOB, "Content-Length: 300000", "Alectio-Lease: nothing"))
        assert line.read().status == 409
        line.send(b"GET /v1/platform HTTP/1.1\r\n\r\n".ljust(300_000, b"x"))
        assert is_open(line)

    def test_a_body_without_a_token_is_not_read(self, line: Line) -> None:
        line.send(
            "POST /v1/agents HTTP/1.1\r\nHost: hub\r\nContent-Length: 5000000\r\n\r\n", b"x" * 999
        )
        answer = line.read()
        assert (answer.problem["type"], answer.headers["www-authenticate"]) == (
            "unauthorized",
            "Bearer",
        )


def test_hundreds_of_silent_connections_keep_nobody_out(hub: Hub) -> None:
    with ExitStack() as stack:
        for number in range(500):
            line = stack.enter_context(open_line(hub))
            if number % 2:
                line.send("POST /v1/claims HTTP/1.1\r\nAuthor")
        with ThreadPoolExecutor(8) as threads:
            calls = [threads.submit(hub.call, "GET", PLATFORM) for _ in range(40)]
        assert [call.result().status_code for call in calls] == [200] * 40
