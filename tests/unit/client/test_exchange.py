from http.client import HTTPException
from io import BytesIO
from typing import Any

import pytest

from alectio_agent.agent.client.exchange import Answer, Exchange, read_headers


class Wire:
    """What http.client asks of a socket."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def makefile(self, mode: str) -> BytesIO:
        assert mode == "rb"
        return BytesIO(self.content)


def read(content: bytes) -> Answer:
    answer = Answer(Wire(content), method="GET")  # type: ignore[arg-type]
    answer.begin()
    return answer


class TestAnswer:
    def test_its_body_ends_where_its_length_says(self) -> None:
        answer = read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 no\r\n\r\n")
        assert (answer.status, answer.will_close, answer.read()) == (200, False, b"ok")

    def test_chunks_count_before_a_length(self) -> None:
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\ncontent-length: 9\r\n\r\n"
        assert read(head + b"2\r\nok\r\n0\r\n\r\n").read() == b"ok"

    @pytest.mark.parametrize("said", [b"", b"Content-Length: -1\r\n", b"Content-Length: x\r\n"])
    def test_without_a_length_the_connection_ends_with_it(self, said: bytes) -> None:
        answer = read(b"HTTP/1.1 200 OK\r\n" + said + b"\r\nok")
        assert (answer.will_close, answer.read()) == (True, b"ok")

    @pytest.mark.parametrize("status", [b"204 none", b"304 same"])
    def test_some_have_no_body_whatever_they_say(self, status: bytes) -> None:
        answer = read(b"HTTP/1.1 " + status + b"\r\nContent-Length: 9\r\n\r\n")
        assert (answer.will_close, answer.read()) == (False, b"")

    @pytest.mark.parametrize(
        "head",
        [b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", b"HTTP/1.0 200 OK\r\n"],
    )
    def test_the_other_side_ends_the_connection(self, head: bytes) -> None:
        assert read(head + b"Content-Length: 2\r\n\r\nok").will_close

    def test_a_word_that_it_goes_on_is_passed_over(self) -> None:
        head = b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
        assert read(head + b"ok").read() == b"ok"

    def test_another_protocol_is_refused(self) -> None:
        with pytest.raises(HTTPException):
            read(b"HTTP/2.0 200 OK\r\n\r\n")


class TestHeaders:
    def test_names_are_known_in_any_letters(self) -> None:
        found = read_headers(BytesIO(b"Content-TYPE:  text/plain \r\nX: 1\r\nX: 2\r\n\r\nbody"))
        assert found["content-type"] == "text/plain"
        assert found.get_all("x") == ["1", "2"]

    @pytest.mark.parametrize(
        "lines",
        [
            b"X: 1\r\n goes on\r\n",
            b"no colon\r\n",
            b": no name\r\n",
            b"X : 1\r\n",
            b"X: " + b"y" * 65536 + b"\r\n",
            b"X: 1\r\n" * 101,
        ],
    )
    def test_what_is_no_header_or_too_much_is_refused(self, lines: bytes) -> None:
        with pytest.raises(HTTPException):
            read_headers(BytesIO(lines + b"\r\n"))


class Sent:
    """Sends as urllib3 does: the head, then each piece of the body."""

    def request(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.send(piece)

    def send(self, data: Any) -> None:
        raise NotImplementedError


class Line(Exchange, Sent):
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def transmit(self, data: Any) -> None:
        self.sent.append(data)


@pytest.mark.parametrize(
    ("pieces", "sent"),
    [
        ([b"head"], [b"head"]),
        ([b"head", b"body"], [b"headbody"]),
        ([b"head", b"a", b"b"], [b"heada", b"b"]),
        ([b"head", b"x" * 70_000], [b"head", b"x" * 70_000]),
    ],
)
def test_a_head_leaves_with_a_small_body(pieces: list[bytes], sent: list[bytes]) -> None:
    line = Line()
    line.request(*pieces)
    line.request(*pieces)
    assert line.sent == sent * 2
