"""Figures as benchmarks give them, and the tables that are made from them."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import ROOT, Figure, publish
from benchmarks.tables import BEGIN, END, PLACES, complaints, pick, tables, with_tables

QUICK = Figure("dispatch", "ms", (4.0, 6.0, 5.0), "RQ", (10.0, 9.0, 20.0), most=0.6)
PAGE = f"before\n{BEGIN}\nold\n{END}\nafter\n"


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *figures: Figure) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", ["dispatch.py", "--json", str(tmp_path)])
    publish("dispatch", figures)
    found: dict[str, Any] = json.loads((tmp_path / "dispatch.json").read_text())
    return found


def test_a_figure_is_the_median_and_its_ratio_that_of_the_medians() -> None:
    assert (QUICK.value, QUICK.ratio, QUICK.is_met) == (5.0, 0.5, True)


def test_a_ratio_above_its_target_is_a_miss() -> None:
    slow = Figure("dispatch", "ms", (7.0,), "RQ", (10.0,), most=0.6)
    assert (slow.target, slow.is_met) == ("at most 0.6x", False)


def test_a_ceiling_is_one_of_the_figure_whatever_its_ratio() -> None:
    heavy = Figure("loop", "ms", (70.0,), "synced files", (1.0,), ceiling=60)
    assert (heavy.target, heavy.is_met) == ("at most 60 ms", False)


def test_a_baseline_of_zero_leaves_the_ceiling() -> None:
    idle = Figure("processor", "%", (0.01,), "RQ", (0.0,), ceiling=0.05)
    assert (idle.ratio, idle.is_met) == (None, True)


def test_a_figure_without_target_is_neither_met_nor_missed() -> None:
    assert Figure("loop", "ms", (70.0,)).is_met is None


def test_written_results_lack_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaints(written(tmp_path, monkeypatch, QUICK)) == []


@pytest.mark.parametrize("key", ["commit", "machine", "figures"])
def test_results_without_a_place_or_a_time_are_complained_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    document = written(tmp_path, monkeypatch, QUICK)
    del document[key]
    assert f"no {key}" in complaints(document)


def test_a_figure_without_spread_is_complained_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = written(tmp_path, monkeypatch, QUICK)
    del document["figures"][0]["spread"]
    assert complaints(document) == ["no spread of dispatch"]


def test_a_commit_that_git_does_not_know_is_complained_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = written(tmp_path, monkeypatch, QUICK) | {"commit": "unknown"}
    assert complaints(document) == ["no commit that git knows"]


def test_a_row_has_the_figure_its_spread_its_baseline_and_its_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tables([written(tmp_path, monkeypatch, QUICK)])
    assert "| dispatch | 5 ms (4 to 6) | RQ: 10 ms | 0.5x | at most 0.6x | yes |\n" in table


def test_a_missed_target_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Figure("memory", "MB", (61.5,), most=60)
    table = tables([written(tmp_path, monkeypatch, slow)])
    assert "| memory | 61.5 MB |  |  | at most 60 MB | **no** |\n" in table


def test_the_readme_shows_figures_with_a_target_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"idle": written(tmp_path, monkeypatch, QUICK, Figure("hub", "MB", (90.0,)))}
    shown = [len(pick(found, place)[0]["figures"]) for place in PLACES]
    assert shown == [1, 2]


def test_each_benchmark_has_a_place_and_is_run_by_make_bench() -> None:
    texts = {file.stem: file.read_text() for file in (ROOT / "benchmarks").glob("*.py")}
    names = {name for name, text in texts.items() if f'publish("{name}"' in text}
    made = re.search(r"^BENCHMARKS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert made is not None
    by_itself = {"soak"}  # it takes as long as all others together: `make soak`
    assert names == {*made[1].split(), *by_itself} == set().union(*PLACES.values())


def test_a_page_keeps_what_is_around_its_table() -> None:
    assert with_tables(PAGE, []) == f"before\n{BEGIN}\n{END}\nafter\n"


def test_a_page_says_on_what_its_figures_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = written(tmp_path, monkeypatch, QUICK)
    page = with_tables(PAGE, [document, document])
    assert page.count(f"at {document['commit']}") == 1
