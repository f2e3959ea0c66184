"""Every problem type is told one by one, and the page of them is what the code says."""

import re
from pathlib import Path

import pytest

from alectio_agent.cli.problem_reference import problems_document
from alectio_agent.wire.problem_notes import PROBLEM_NOTES
from alectio_agent.wire.problems import PROBLEM_TYPES

PAGE = Path(__file__).parents[3] / "docs" / "problems.md"


def test_the_page_is_current() -> None:
    """Mend with `make docs`."""
    assert PAGE.read_text("utf-8") == problems_document()


def test_every_type_is_told_and_no_other() -> None:
    assert list(PROBLEM_NOTES) == list(PROBLEM_TYPES)


def test_a_type_resolves_to_its_own_heading() -> None:
    """`problems#lease-lost` is what a reader of a problem document looks up."""
    headings = re.findall(r"^## (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert headings == list(PROBLEM_TYPES)


@pytest.mark.parametrize("name", PROBLEM_TYPES)
def test_each_says_when_it_comes_and_what_is_done(name: str) -> None:
    note = PROBLEM_NOTES[name]
    for text in (note.when, note.agent, note.person):
        assert text.endswith(".")
        assert text[0].isupper() or text[0] == "`"
