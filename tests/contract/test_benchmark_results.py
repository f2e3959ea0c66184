"""The READMEs say what was measured, and what was measured says where and when."""

import pytest

from benchmarks.harness import RESULTS, ROOT
from benchmarks.tables import PLACES, complaints, pick, read_results, with_tables

FOUND = read_results(RESULTS)


@pytest.mark.parametrize("place", PLACES)
def test_the_tables_of_a_page_are_those_of_the_results(place: str) -> None:
    text = (ROOT / place).read_text()
    made = with_tables(text, pick(FOUND, place))
    assert text == made, "make it current: python -m benchmarks.tables"


@pytest.mark.parametrize("name", FOUND)
def test_results_name_their_commit_their_machine_and_their_spread(name: str) -> None:
    assert complaints(FOUND[name]) == []


@pytest.mark.parametrize("name", FOUND)
def test_results_stand_on_a_page(name: str) -> None:
    assert any(name in names for names in PLACES.values())
