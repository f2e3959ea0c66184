"""Files of labels: what spreadsheets write is read, whatever is wrong is named with its line."""

# ruff: noqa: E501 - a table is read by its columns

import json

import pytest

from alectio_agent.wire.label_files import (
    MOST_TOLD,
    LabelFile,
    read_labels,
    without_labels,
    write_labels,
)
from alectio_agent.wire.labels import AskedSample, LabelQueue

HEAD = "index,name,loop,label,annotator,seconds,score,reason\n"


def read(text: str | bytes) -> LabelFile:
    return read_labels(text.encode() if isinstance(text, str) else text)


def said(found: LabelFile) -> list[tuple[int, object]]:
    assert found.problems == []
    return [(row.index, row.label) for row in found.rows]


def wrong(text: str | bytes) -> list[str]:
    return [f"{problem.line} {problem.text}" for problem in read(text).problems]


def test_labels_exclusions_and_what_is_not_done_are_told_apart() -> None:
    found = read("index,label\n4,cat\n7,-\n9,\n")
    assert said(found) == [(4, "cat"), (7, None)]
    assert (found.lines, found.blank) == ([2, 3], 1)


def test_annotators_and_seconds_are_read_other_columns_are_not() -> None:
    found = read("text,seconds,label,index,annotator\nhello,2.5,cat,4, ada \n")
    row = found.rows[0]
    assert (row.index, row.label, row.annotator, row.seconds) == (4, "cat", "ada", 2.5)


@pytest.mark.parametrize(
    "text",
    [
        "index;label\n4;cat\n",
        "index\tlabel\n4\tcat\n",
        "index,label\r\n4,cat\r\n",
        "index,label\r4,cat\r",
        "\ufeffindex,label\n4,cat\n",
        '"index","label"\n"4","cat"\n',
        " Index , LABEL \n 4 , cat \n",
        "sep=;\nindex;label\n4;cat\n",
        "\n\nindex,label\n\n4,cat\n,\n",
        "index,label\n4,cat",
        "index,label,note\n4,cat\n",
        "index,label\n4,cat,,,\n",
    ],
)
def test_whatever_a_spreadsheet_writes_is_read(text: str) -> None:
    assert said(read(text)) == [(4, "cat")]


def test_a_decimal_comma_goes_with_semicolons() -> None:
    assert read("index;label;seconds\n4;cat;2,5\n").rows[0].seconds == 2.5
    assert "seconds: found '2,5'" in wrong('index,label,seconds\n4,cat,"2,5"\n')[0]


def test_text_over_several_lines_is_one_row() -> None:
    found = read('index,label,text\n4,cat,"a\nb\nc"\n9,dog,d\n')
    assert (said(found), found.lines) == ([(4, "cat"), (9, "dog")], [2, 5])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["1 found no heading, expected one with `index` and `label`"]),
        ("4,cat\n", ["1 heading: found no column `index` in 4, cat"]),
        ("index,lable\n", ["1 heading: found no column `label` in index, lable. Is it `lable`?"]),
        ("\nindex,label,Label\n", ["2 heading: found the column `label` twice"]),
        (b"PK\x03\x04...", ["1 found a spreadsheet's own format, expected text; save it as CSV UTF-8"]),
        ("index,label\n".encode("utf-16"), ["1 found UTF-16, expected UTF-8; save it as CSV UTF-8"]),
        (b"index,label\n4,caf\xe9\n",
         ["2 found the byte 0xe9, which is no UTF-8; save it as CSV UTF-8"]),
        ("index,label\nfour,cat\n", ["2 index: found 'four', expected a whole number"]),
        ("index,label\n-4,cat\n", ["2 index: found '-4', expected a whole number"]),
        ("index,label\n4.0,cat\n", ["2 index: found '4.0', expected a whole number"]),
        ("index,label\n,cat\n", ["2 index: found '', expected a whole number"]),
        ("index,label\n4,cat\n5,dog\n4,dog\n",
         ["4 index: found 4 a second time, first in line 2"]),
        ("index,label\n4,\n4,dog\n", ["3 index: found 4 a second time, first in line 2"]),
        ("index,label\n4\n",
         ["2 found 1 cells, expected 2 as in the heading; put text that holds the separator in quotes"]),
        ("index,text,label\n4,a, b,cat\n", ["2 found 4 cells, expected 3 as in the heading; put text "
         "that holds the separator in quotes"]),
        ("index,label,seconds\n4,cat,soon\n", ["2 seconds: found 'soon', expected a number from 0 on"]),
        ("index,label,seconds\n4,cat,-1\n", ["2 seconds: found '-1', expected a number from 0 on"]),
        ("index,label,seconds\n4,cat,nan\n", ["2 seconds: found 'nan', expected a number from 0 on"]),
        ("index,label,annotator\n4,cat," + "a" * 201 + "\n",
         ["2 annotator: found 201 letters, expected at most 200"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text: str | bytes, told: list[str]) -> None:
    assert wrong(text) == told


def test_a_quote_that_is_never_closed_is_named_where_it_opens() -> None:
    assert wrong('index,label\n4,cat\n5,"dog\n6,cat\n')[0].startswith("3 no CSV: ")


def test_all_mistakes_are_told_and_the_other_rows_are_read() -> None:
    found = read("index,label\nx,cat\n4,dog\ny,cat\n")
    assert [problem.line for problem in found.problems] == [2, 4]
    assert [row.index for row in found.rows] == [4]


def sample(index: int, **told: object) -> AskedSample:
    return AskedSample.model_validate({"index": index, "loop": 0, "status": "asked", **told})


def test_a_file_to_fill_in_has_every_column() -> None:
    text = write_labels(
        [sample(4, name='a "b", c', score=0.125, reason="margin"), sample(7, reason="random")],
        has_classes=True,
    )
    assert text == HEAD + '4,"a ""b"", c",0,,,,0.125,margin\n7,,0,,,,,random\n'


@pytest.mark.parametrize(
    "label", ["cat", "1", 2, 2.5, None, ["a", "b"], {"x": 1}, "5", "a,b\nc", "-"]
)
def test_what_was_written_reads_the_same(label: object) -> None:
    """Else an export with --all that is imported again would be full of corrections."""
    status = "excluded" if label is None else "labelled"
    text = write_labels([sample(4, status=status, label=label)], has_classes=False)
    found = read(text).rows[0].label
    again = json.loads(found) if isinstance(found, str) and found != label else found
    assert again == label


@pytest.mark.parametrize("name", ["pic\rture", "a\r\nb", "long " * 40_000, " x "])
def test_a_file_with_any_name_can_be_brought_back(name: str) -> None:
    text = write_labels(
        [sample(4, name=name, status="labelled", label="a", annotator="bo\rb"), sample(7)],
        has_classes=True,
    )
    found = read(text)
    assert said(found) == [(4, "a")]
    assert (found.blank, found.rows[0].annotator) == (1, "bo\rb")


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@a", "\ta", "\ra"])
def test_a_name_is_no_formula(name: str) -> None:
    text = write_labels([sample(4, name=name)], has_classes=True)
    assert f"'{name}" in text
    assert read(text).blank == 1


def test_names_of_classes_are_written_as_they_are() -> None:
    assert ",1,," in write_labels([sample(4, status="labelled", label="1")], has_classes=True)


def test_what_the_hub_finds_stands_at_its_line_among_the_rest() -> None:
    found = read("index,label\n4,a\nx,a\n\n9,b\n")
    wrong = found.wrong([{"row": 1, "problem": "label: unknown"}], 1)
    assert [(each.line, each.text.split(":")[0]) for each in wrong.problems] == [
        (3, "index"), (5, "label"),
    ]  # fmt: skip
    assert (wrong.title, wrong.untold) == ("2 places are wrong. Nothing was imported", 0)


def test_of_a_very_wrong_file_the_first_lines_are_told_and_the_rest_counted() -> None:
    found = read("index,label\n" + "x,a\n" * 30 + "1,a\n")
    wrong = found.wrong([{"row": 0, "problem": "label: unknown"}], 1001)
    assert len(wrong.problems) == MOST_TOLD
    assert (wrong.count, wrong.untold) == (1031, 1031 - MOST_TOLD)


def test_one_place_is_one() -> None:
    assert read("index,label\nx,a\n").wrong([], 0).title.startswith("1 place is wrong")


def test_what_came_back_is_not_asked_again() -> None:
    samples = [sample(4), sample(5, status="labelled", label="a"), sample(6, status="excluded")]
    queue = LabelQueue(name="digits", state="running", loops=[], samples=samples)
    assert [each.index for each in without_labels(queue).samples] == [4]
