"""What parent and embedded hub say to each other over pipes."""

import json
import os
from collections.abc import Iterator

import pytest

from alectio_agent.core.errors import UsageError
from alectio_agent.hub.server.parent import ParentTokens, read_tokens, tell_ready


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_the_tokens_are_the_first_line_and_nothing_more_is_read(pipe: tuple[int, int]) -> None:
    """What stays in the pipe must stay: its end is the signal to stop."""
    reading, writing = pipe
    os.write(writing, b'{"agent_token": "a", "operator_token": "o"}\nrest')
    assert read_tokens(reading) == ParentTokens("a", "o")
    assert os.read(reading, 10) == b"rest"


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"{}\n", b'{"agent_token": "a"}\n', b"[1]\n", b"\xff\n", b"x" * 5000]
)
def test_a_pipe_without_tokens_is_a_wrong_use(pipe: tuple[int, int], line: bytes) -> None:
    reading, writing = pipe
    os.write(writing, line)
    os.close(writing)
    with pytest.raises(UsageError, match="brought no tokens"):
        read_tokens(reading)


def test_the_parent_hears_url_and_platform_and_then_the_end(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    tell_ready(writing, "http://127.0.0.1:1", "p")
    assert json.loads(os.read(reading, 1000)) == {"url": "http://127.0.0.1:1", "platform_id": "p"}
    assert os.read(reading, 1) == b""


def test_a_parent_that_has_ended_is_no_error_here(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.close(reading)
    tell_ready(writing, "http://127.0.0.1:1", "p")
