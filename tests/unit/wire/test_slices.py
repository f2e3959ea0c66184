"""Content-Range of slices: what is read, what is refused, and that it comes back the same."""

import pytest

from alectio_agent.wire.slices import Slice


@pytest.mark.parametrize("text", ["bytes 0-65535/4194304", "bytes 7-7/8", "bytes */4194304"])
def test_a_header_comes_back_as_it_was(text: str) -> None:
    assert str(Slice.read(text)) == text


def test_the_last_byte_is_the_one_before_the_stop() -> None:
    assert Slice.read("bytes 10-19/20") == Slice(10, 20, 20)


def test_a_star_is_a_question() -> None:
    assert Slice.read("bytes */20").is_question


@pytest.mark.parametrize(
    "text",
    ["", "bytes", "bytes 5-4/9", "bytes 0-9/9", "bytes 0-0/0", "bytes */0", "items 0-1/2",
     "bytes -5/9", "bytes 0-1/*", "bytes 0-1/2, 3-4/5", f"bytes 0-1/{10**16}"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Slice.read(text)
