"""JSON from the other side: what the protocol takes, and what it refuses."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alectio_agent.wire.strict_json import (
    MAX_DEPTH,
    JsonRuleError,
    NotJsonError,
    _number_hooks,
    canonical,
    dumps,
    loads,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, -2.5, 1e3, "x"]}', {"a": [1, -2.5, 1000.0, "x"]}),
        ("[true, false, null]", [True, False, None]),
        (b'{"name": "M\xc3\xbcller"}', {"name": "Müller"}),
        ('"text"', "text"), ("7", 7), ("null", None), ("[]", []),
        ("99999999999999999999", 99999999999999999999),
    ],
)  # fmt: skip
def test_plain_documents_are_read(text, value):
    assert loads(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "key 'a' stands twice in one object"),
        ('[{"x": {"b": 1, "b": 1}}]', "key 'b' stands twice in one object"),
        ("[NaN]", "NaN is not a JSON number"),
        ("[Infinity]", "Infinity is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("1e400", "1e400 is too large for a number"),
        ("-1e400", "-1e400 is too large for a number"),
        ("[1, 2E+308]", "2E+308 is too large for a number"),
        ("9" * 309 + ".5", "99999 is too large for a number"),
        ('{"id": "e123", "n": ' + "1" * 21 + "}", "an integer of 21 digits"),
        ("-" + "1" * 20, "an integer of 21 digits"),
        ("1" * 21, "an integer of 21 digits"),
        ("[0.00018954277038574219, " + "1" * 21 + "]", "an integer of 21 digits"),
        ("1" * 100_000, "an integer of 100000 digits"),
    ],
)
def test_what_json_allows_and_the_protocol_does_not_is_named(text, said):
    with pytest.raises(JsonRuleError) as caught:
        loads(text)
    assert said in str(caught.value)
    assert not isinstance(caught.value, NotJsonError)


def test_numbers_are_looked_at_one_by_one_only_where_one_may_be_too_large():
    assert _number_hooks(b'{"duration_s": 0.00018954277038574219, "rows": [1, 2.5e-7]}') == {}
    assert set(_number_hooks(b"[1e400]")) == {"parse_float"}
    assert set(_number_hooks(b"[-111111111111111111111]")) == {"parse_int", "parse_float"}


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": ', "<html>", "{'a': 1}", "[1,]", "1 2", b"\xff\xfe"]
)
def test_text_that_is_no_json_is_told_apart(text):
    """Half a document is no verdict of the platform's, so it is asked again."""
    with pytest.raises(NotJsonError, match=r"^not JSON: "):
        loads(text)


def test_a_document_may_be_64_levels_deep_and_no_deeper():
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    deepest_of_mappings = '{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH
    assert loads(deepest_of_mappings) is not None
    for too_deep in ("[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, "[" * 10**5 + "]" * 10**5):
        with pytest.raises(JsonRuleError, match="nested deeper than 64 levels"):
            loads(too_deep)


def test_a_wide_document_is_not_deep():
    assert len(loads(json.dumps([[i] for i in range(1000)]))) == 1000


def test_documents_are_written_without_spaces_and_as_utf8_text():
    assert dumps({"b": [1, 2.5], "a": "Müller"}) == '{"b":[1,2.5],"a":"Müller"}'


def test_numbers_that_are_not_finite_are_never_written():
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            dumps([number])
        with pytest.raises(ValueError, match="not JSON compliant"):
            canonical([number])


def test_a_value_that_json_does_not_know_is_never_written():
    with pytest.raises(TypeError):
        dumps({1, 2})


def test_equal_documents_have_one_canonical_text():
    assert canonical({"b": {"d": 1, "c": 2}, "a": []}) == '{"a":[],"b":{"c":2,"d":1}}'
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(json_values)
def test_what_is_written_is_read_back(value):
    assert loads(dumps(value)) == value
    assert loads(canonical(value)) == value
