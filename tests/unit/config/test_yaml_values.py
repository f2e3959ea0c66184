"""What words in a file mean, and which line they are said to stand in."""

from pathlib import Path

import pytest

from alectio_agent.config.yaml_lines import read_document, read_scalar


def read(text):
    file = Path("any.yaml")
    file.write_bytes(text.encode())
    return read_document(file)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("12", 12), ("-3", -3), ("+4", 4), ("0", 0),
        ("0.5", 0.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-2.5E-1", -0.25),
        ("true", True), ("False", False), ("TRUE", True),
        ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("y", "y"),
        ("0123", "0123"), ("1:30", "1:30"), ("1_000", "1_000"), ("0x10", "0x10"),
        ("2026-01-31", "2026-01-31"), (".nan", ".nan"), (".inf", ".inf"),
        ("1e999", "1e999"), ("9" * 40, "9" * 40),
        ("'12'", "12"), ('"true"', "true"), ("!!str 5", "5"), ("!!int x", "x"),
        ("[a, 1, {b: c}]", ["a", 1, {"b": "c"}]),
    ],
)  # fmt: skip
def test_words_mean_what_people_expect(word, meaning):
    """Under the older rules `no` would be false, `1:30` ninety and `0123` eighty-three."""
    found = read(f"key: {word}\n").value["key"]
    assert (found, type(found)) == (meaning, type(meaning))
    assert read_scalar(word) == meaning


def test_a_variable_that_is_no_yaml_stays_text():
    assert read_scalar("a: b: c") == "a: b: c"
    assert read_scalar("!env x") == "!env x"


def test_keys_are_text_whatever_they_look_like():
    assert read("2024: a\ntrue: b\nnull: c\n").value == {"2024": "a", "true": "b", "null": "c"}


def test_lines_are_those_of_keys_and_of_list_entries():
    marks = read("# top\na:\n  b: |\n    text\n  c:\n    - x\n    - {d: 1}\n").marks
    assert {key: line for key, (line, _) in marks.items()} == {
        (): 2, ("a",): 2, ("a", "b"): 3, ("a", "c"): 5,
        ("a", "c", 0): 6, ("a", "c", 1): 7, ("a", "c", 1, "d"): 7,
    }  # fmt: skip


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    document = read("\ufeffa: 1\r\nb: 2\r\n")
    assert document.value == {"a": 1, "b": 2}
    assert document.marks[("b",)] == (2, 1)


def test_merged_keys_stand_where_they_were_written():
    document = read("a: &base {x: 1, y: 2}\nb:\n  <<: *base\n  x: 3\n")
    assert document.value["b"] == {"x": 3, "y": 2}
    assert document.marks[("b", "x")][0] == 4
    assert document.marks[("b", "y")][0] == 1


def test_several_mappings_can_be_merged_and_the_first_wins():
    document = read("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc:\n  <<: [*a, *b]\n")
    assert document.value["c"] == {"x": 1, "y": 2}


def test_of_a_key_that_stands_twice_the_first_counts():
    document = read("a: 1\nb: 2\na: 3\n")
    assert document.value == {"a": 1, "b": 2}
    assert [problem.line() for problem in document.problems] == [
        "E-CONF-05  any.yaml:3 a: stands twice, first in line 1; keep one"
    ]
