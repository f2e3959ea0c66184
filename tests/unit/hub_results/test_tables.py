"""Tables are made from the document: the same numbers, whatever people call things."""

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.hub.experiments.results_document import as_json
from alectio_agent.hub.results.tables import (
    CLASSES_COLUMNS,
    LOOPS_COLUMNS,
    PER_CLASS,
    SELECTED_COLUMNS,
    TABLES,
)
from alectio_agent.wire.experiment import METRIC_NAMES
from tests.support.documents import make_document

DOCS = Path(__file__).parents[3] / "docs" / "results-files.md"
UGLY = ["a,b", 'say "hi"', "two\nlines", "bare\rreturn", "<b>bold</b>", " spaced ", "ä" * 5000]


def rows_of(document: dict[str, Any], file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(TABLES[file](document), newline="")))


def test_numbers_are_written_as_in_the_json() -> None:
    document = make_document(loops=3)
    chance = random.Random(4)
    for loop in document["loops"]:
        loop["metrics"] = {name: chance.random() / 3 for name in METRIC_NAMES}
        loop["times"]["seconds"] = {"train": 1 / 3, "test": 1e-7, "infer": 12.0}
        loop["per_class"]["f1"] = [chance.random() for _ in range(3)]
        loop["selection"]["scores"] = [chance.random() for _ in loop["selected"]]
    text = as_json(document)
    loops = json.loads(text)["loops"]
    assert "1e-07" in text
    for row, loop in zip(rows_of(document, "loops.csv"), loops, strict=True):
        assert [row[name] for name in METRIC_NAMES] == [
            json.dumps(loop["metrics"][name]) for name in METRIC_NAMES
        ]
        assert [row["train_s"], row["test_s"], row["infer_s"]] == [
            json.dumps(loop["times"]["seconds"][step]) for step in ("train", "test", "infer")
        ]
    found = iter(rows_of(document, "classes.csv"))
    for loop in loops:
        for column in range(3):
            row = next(found)
            assert [row[key] for key in PER_CLASS] == [
                json.dumps(loop["per_class"][key][column]) for key in PER_CLASS
            ]
    scores = [score for loop in loops for score in loop["selection"]["scores"]]
    written = [row["score"] for row in rows_of(document, "selected.csv")]
    assert written == [json.dumps(score) for score in scores]


def test_classes_have_a_row_for_each_loop_and_class() -> None:
    rows = rows_of(make_document(loops=2), "classes.csv")
    assert [(row["loop"], row["labels"], row["class"]) for row in rows] == [
        ("0", "20", "class 0"), ("0", "20", "class 1"), ("0", "20", "class 2"),
        ("1", "40", "class 0"), ("1", "40", "class 1"), ("1", "40", "class 2"),
    ]  # fmt: skip
    assert [row["labelled"] for row in rows[3:]] == ["21", "13", "6"]
    assert sum(int(row["predicted"]) for row in rows[3:]) == 2000 - 40


def test_classes_without_names_are_numbered() -> None:
    document = make_document(loops=1)
    document["settings"]["classes"] = 3
    assert [row["class"] for row in rows_of(document, "classes.csv")] == ["0", "1", "2"]
    assert {row["label"] for row in rows_of(document, "selected.csv")} == {"0", "1", "2"}


def test_what_is_not_known_is_left_empty() -> None:
    document = make_document(loops=1)
    (loop,) = document["loops"]
    for key in ("names", "batch_labels", "metrics", "per_class", "class_counts"):
        loop[key] = None
    loop["selection"] = {"settings": {}}
    loop["attempts"] = []
    assert rows_of(document, "selected.csv")[0] == {
        "loop": "0", "index": "0", "name": "", "score": "", "reason": "", "label": "",
    }  # fmt: skip
    row = rows_of(document, "classes.csv")[1]
    assert {key: row[key] for key in ("class", "labelled", "predicted", *PER_CLASS)} == {
        "class": "class 1", "labelled": "", "predicted": "",
        "precision": "", "recall": "", "f1": "", "support": "",
    }  # fmt: skip
    row = rows_of(document, "loops.csv")[0]
    assert (row["accuracy"], row["agent"], row["attempt"]) == ("", "", "")


def test_a_task_without_classes_has_headings_only() -> None:
    document = make_document(loops=2)
    document["settings"]["classes"] = None
    assert TABLES["classes.csv"](document) == ",".join(CLASSES_COLUMNS) + "\n"


def test_before_the_first_loop_there_are_headings() -> None:
    document = make_document(loops=0)
    assert [table(document).count("\n") for table in TABLES.values()] == [1, 1, 1]


def test_a_loop_that_runs_shows_what_was_chosen_and_nothing_else() -> None:
    document = make_document(loops=2)
    document["loops"][1]["state"] = "running"
    assert {row["loop"] for row in rows_of(document, "selected.csv")} == {"0", "1"}
    assert {row["loop"] for row in rows_of(document, "classes.csv")} == {"0"}
    assert {row["loop"] for row in rows_of(document, "loops.csv")} == {"0"}


@pytest.mark.parametrize("name", UGLY)
def test_any_text_comes_back_as_it_was(name: str) -> None:
    document = make_document(loops=1, classes=2)
    document["settings"]["classes"] = [name, "other"]
    document["loops"][0]["names"][0] = name
    document["loops"][0]["attempts"][0]["agent"] = name
    assert rows_of(document, "selected.csv")[0]["name"] == name
    assert rows_of(document, "selected.csv")[0]["label"] == name
    assert rows_of(document, "classes.csv")[0]["class"] == name


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_a_spreadsheet_would_run_is_defused(text: str) -> None:
    document = make_document(loops=1)
    document["loops"][0]["names"][0] = text
    assert rows_of(document, "selected.csv")[0]["name"] == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+1", "-0.5", "-1e-7", "a=1", "'x"])
def test_a_number_or_a_harmless_text_is_left_alone(text: str) -> None:
    """Classes are often called -1 and 1."""
    document = make_document(loops=1)
    document["loops"][0]["names"][0] = text
    assert rows_of(document, "selected.csv")[0]["name"] == text


def test_labels_that_are_no_columns_are_written_as_json() -> None:
    document = make_document(loops=1)
    document["loops"][0]["batch_labels"][:5] = ["a name", 7, True, [0, 2], {"b": 1, "a": 0.5}]
    written = [row["label"] for row in rows_of(document, "selected.csv")[:5]]
    assert written == ["a name", "7", "true", "[0, 2]", '{"a": 0.5, "b": 1}']


def documented() -> Iterator[tuple[str, list[str]]]:
    for section in re.split(r"^## ", DOCS.read_text(), flags=re.MULTILINE)[1:]:
        yield section.split("\n")[0].strip("`"), re.findall(r"^\| `(\S+)`", section, re.MULTILINE)


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("loops.csv", LOOPS_COLUMNS),
        ("classes.csv", CLASSES_COLUMNS),
        ("selected.csv", SELECTED_COLUMNS),
    ],
)
def test_every_column_is_documented(file: str, columns: tuple[str, ...]) -> None:
    assert dict(documented())[file] == list(columns)


def test_every_member_of_the_document_is_documented() -> None:
    document = make_document(loops=1)
    told = dict(documented())["experiment.json"]
    assert set(told) == set(document) | {f"loops[].{key}" for key in document["loops"][0]}
