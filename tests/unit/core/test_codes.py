"""Every code has its explanation, every explanation a code that something says."""

import re
from pathlib import Path

import alectio_agent
from alectio_agent.core.codes import explanations
from alectio_agent.core.errors import CODE_PATTERN

PACKAGE = Path(alectio_agent.__file__).parent


def said() -> set[str]:
    """All codes in the package's source."""
    return {
        code for file in PACKAGE.rglob("*.py") for code in CODE_PATTERN.findall(file.read_text())
    }


def test_every_code_that_is_said_is_explained() -> None:
    assert said() - explanations().keys() == set()


def test_codes_are_sorted_and_each_has_a_title_and_a_text() -> None:
    found = list(explanations().values())
    assert [each.code for each in found] == sorted(each.code for each in found)
    for each in found:
        assert len(each.title) < 80
        assert len(each.text) > 60, each.code
        assert not each.title.endswith(".")


def test_no_code_stands_twice() -> None:
    text = (PACKAGE / "core" / "errors.md").read_text()
    headings = re.findall(r"^## (E-\S+)", text, re.MULTILINE)
    assert sorted(set(headings)) == headings
