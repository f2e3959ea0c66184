"""Pages lead somewhere, can be found, and name tests that exist."""

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.pages import DOCS, ROOT, all_pages, anchors_of, links_of, sections_of

PAGES = {str(page.relative_to(ROOT)): page for page in all_pages()}
PROOFS = ("promises.md", "what-happens-when.md")
FILE = re.compile(r"\]\(\.\./(tests/[^)]+\.py)\)")
TEST = re.compile(r"`(test_\w+)`")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_page_and_a_heading(name: str) -> None:
    page = PAGES[name]
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name} links to {link}"
        if anchor:
            assert anchor in anchors_of(target), f"{name} links to {link}"


def test_every_page_of_the_documentation_stands_in_its_index() -> None:
    index = {link.partition("#")[0] for link in links_of(DOCS / "README.md")}
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"README.md"}
    assert pages - index == set()


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/README.md" in links_of(ROOT / "README.md")


@pytest.mark.parametrize("name", PAGES)
def test_no_page_holds_the_marks_of_a_merge(name: str) -> None:
    assert re.search(r"^(<{7}|={7}|>{7})", PAGES[name].read_text("utf-8"), re.M) is None


@pytest.mark.parametrize("name", PAGES)
def test_no_heading_stands_twice_or_over_nothing(name: str) -> None:
    """Merges leave such pieces behind; a link to a title that is there twice leads to the first."""
    sections = sections_of(PAGES[name])
    titles = [title for _, title, _ in sections]
    assert sorted(titles) == sorted(set(titles))
    for (level, title, text), (below, *_) in pairwise([*sections, (0, "", "")]):
        assert text or below > level, title


@pytest.mark.parametrize("name", PROOFS)
def test_every_test_that_a_page_names_exists(name: str) -> None:
    named = named_tests((DOCS / name).read_text("utf-8"))
    assert len(named) > 20
    missing = [f"{file}::{test}" for file, test in named if test not in names_in(ROOT / file)]
    assert missing == []


def test_every_promise_has_tests_behind_it() -> None:
    _, *promises = re.split(r"^## ", (DOCS / "promises.md").read_text("utf-8"), flags=re.M)
    assert [title[:2] for title in promises] == [f"{number}." for number in range(1, 8)]
    for promise in promises:
        assert len(named_tests(promise)) >= 3, promise.splitlines()[0]


def test_every_bad_day_has_a_test_behind_it() -> None:
    rows = re.findall(r"^\| (?!when \||---)(.*)\|$", (DOCS / PROOFS[1]).read_text("utf-8"), re.M)
    assert len(rows) > 30
    assert [row for row in rows if not named_tests(row)] == []


def named_tests(text: str) -> list[tuple[str, str]]:
    """Each name of a test, with the file that was linked last before it."""
    named, file = [], ""
    for found in re.finditer(f"{FILE.pattern}|{TEST.pattern}", text):
        file = found[1] or file
        if found[2]:
            named.append((file, found[2]))
    return named


@cache
def names_in(file: Path) -> set[str]:
    """Names of the tests that a file holds."""
    tree = ast.walk(ast.parse(file.read_text("utf-8")))
    return {node.name for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
