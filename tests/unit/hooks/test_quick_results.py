"""What `infer` returned in bulk is read quickly, and never otherwise than row by row."""

from array import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alectio_agent.agent.hooks.child import columns, matching
from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.infer_result import check_infer
from alectio_agent.agent.hooks.child.results import Asked

NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.floats(width=32),
    st.sampled_from([1e300, -1e39, True, "1", None, np.float32(0.1), np.int64(2)]),
)
ROWS = st.one_of(
    st.lists(NUMBERS, min_size=2, max_size=2),
    st.lists(NUMBERS, max_size=3),
    st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
    st.floats(-9, 9).map(lambda number: {"logits": [number, 0], "embedding": [1]}),
    st.lists(st.floats(-9, 9), min_size=2, max_size=2).map(np.array),
    st.sampled_from([{"logits": [1, 2]}, 0.5, "ab", [np.zeros(2)]]),
)
KEYS = st.one_of(
    st.integers(-1, 6),
    st.integers(0, 6).map(str),
    st.integers(0, 6).map(np.int64),
    st.sampled_from([True, 2.0, 2**70, np.float64(3), np.True_, None]),
)
SAMPLES = st.sets(st.integers(0, 6)).map(sorted)


def outcome(returned: Any, asked: Asked) -> Any:
    """Everything that can be told of a result, or of its refusal."""
    try:
        result = check_infer(returned, asked)
    except ContractError as error:
        return error.code, error.message, error.detail
    except (OverflowError, TypeError, ValueError) as error:
        return type(error)
    told = [(c.name, c.kind, bytes(c.buffer), c.width) for c in result.columns]
    return list(result.index), told, result.form, result.values, result.notices


def slowly(returned: Any, asked: Asked) -> Any:
    """The same, with every short cut closed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "_as_numbers", lambda keys: None)
        patch.setattr(columns, "_pack", lambda rows, expected: None)
        return outcome(returned, asked)


def asking(samples: list[int], task: str = "classification") -> Asked:
    return Asked(task, 2, None, "logits", array("q", samples))


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(KEYS, ROWS, max_size=6), SAMPLES)
def test_any_dict_gives_the_same_as_row_by_row(outputs: dict[Any, Any], samples: Any) -> None:
    returned = {"outputs": outputs}
    assert outcome(returned, asking(samples)) == slowly(returned, asking(samples))


@settings(deadline=None, max_examples=300)
@given(st.data(), SAMPLES, st.sampled_from(["classification", "regression"]))
def test_a_dict_with_the_right_keys_gives_the_same_as_row_by_row(
    data: st.DataObject, samples: list[int], task: str
) -> None:
    """Few of the dicts above get as far as their rows."""
    keys = data.draw(st.permutations(samples))
    kind = data.draw(st.sampled_from([int, str, np.int32]))
    row = data.draw(st.sampled_from([ROWS, st.lists(st.floats(width=32), min_size=2, max_size=2)]))
    returned = {"outputs": {kind(key): data.draw(row) for key in keys}}
    assert outcome(returned, asking(samples, task)) == slowly(returned, asking(samples, task))


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.integers(-2, 6), max_size=6),
    st.sampled_from(["i1", "u1", ">i4", "u8", "f8", "?", "m8[s]", "O", "U2"]),
    SAMPLES,
)
def test_indices_of_any_dtype_give_the_same_as_one_by_one(
    indices: list[int], dtype: str, samples: list[int]
) -> None:
    keys = np.array(indices).astype("i8").astype(dtype)
    returned = {"outputs": np.arange(2.0 * len(keys)).reshape(-1, 2), "indices": keys}
    assert outcome(returned, asking(samples)) == slowly(returned, asking(samples))


def test_without_numpy_the_same_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    returned = {"outputs": {3: [1, 2.5], 1: [0.1, -7]}}
    with_numpy = [outcome(returned, asking(samples)) for samples in ([1, 3], [1, 4], [0, 9])]
    for module in (matching, columns):
        monkeypatch.setattr(module, "loaded", lambda name, attribute: None)
    assert [outcome(returned, asking(s)) for s in ([1, 3], [1, 4], [0, 9])] == with_numpy


def test_rows_in_any_order_are_taken_by_their_index() -> None:
    returned = {"outputs": np.array([[3.0, 0], [1, 0], [2, 0]]), "indices": np.array([9, 4, 7])}
    result = check_infer(returned, asking([4, 7, 9]))
    assert [row[0] for row in result.plain_rows(0, 3)] == [1, 2, 3]


def test_what_was_asked_for_is_not_changed_by_sorting() -> None:
    asked = asking([4, 7, 9])
    check_infer({"outputs": {9: [0, 1], 4: [0, 1], 7: [0, 1]}}, asked)
    assert list(asked.unlabeled) == [4, 7, 9]
