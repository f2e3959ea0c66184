"""When `run` shows the view."""

import io

import pytest

from alectio_agent.cli.live.allotment import allot
from alectio_agent.cli.live.opening import wants_view
from alectio_agent.cli.options import Common


class Stream(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("common", "is_terminal", "term", "wanted"),
    [
        (Common(), True, "xterm-256color", True),
        (Common(as_json=True), True, "screen", True),
        (Common(), False, "xterm-256color", False),
        (Common(), True, "dumb", False),
        (Common(), True, "", False),
        (Common(is_quiet=True), True, "xterm", False),
        (Common(is_debug=True), True, "xterm", False),
    ],
)
def test_the_view_is_for_terminals_whose_people_want_it(
    common: Common, *, is_terminal: bool, term: str, wanted: bool
) -> None:
    assert wants_view(common, Stream(is_terminal=is_terminal), {"TERM": term}) is wanted


def test_rows_go_to_whoever_is_asked_first() -> None:
    given = allot(5, {"a": 9, "b": 9}, [("a", 1), ("b", 2), ("a", 9)], {})
    assert given == {"a": 3, "b": 2}


def test_a_section_that_needs_more_than_is_left_gets_none() -> None:
    assert allot(3, {"a": 1, "b": 9}, [("a", 1), ("b", 9)], {"b": 4}) == {"a": 1}
