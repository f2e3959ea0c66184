"""What `test` may return: every rule kept, and every rule broken once."""

from typing import Any

import numpy as np
import pytest

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.results import Asked, Result
from alectio_agent.agent.hooks.child.tested_result import check_test

ASKED = Asked("classification", 3)
NAMED = Asked("classification", 3, ["cat", "dog", "owl"])
MULTI = Asked("multi_label", 3)


def check(predictions: Any, labels: Any, asked: Asked = ASKED) -> Result:
    return check_test({"predictions": predictions, "labels": labels}, asked)


def rows(result: Result) -> list[Any]:
    return result.plain_rows(0, len(result.index))


class TestKept:
    @pytest.mark.parametrize(
        ("predictions", "labels"),
        [
            ({5: 0, 7: 2}, {7: 1, 5: 0}),
            ({"5": 0, "7": 2}, {5: 0, 7: 1}),
            ({np.int64(7): np.int64(2), 5: np.array(0)}, {5: 0.0, 7: 1.0}),
            ({5: False, 7: 2}, {5: np.False_, 7: True}),
        ],
    )
    def test_dicts_are_joined_by_their_keys(self, predictions: Any, labels: Any) -> None:
        found = check(predictions, labels)
        assert found.index == [5, 7]
        assert rows(found) == [[0, 0], [2, 1]]
        assert [column.kind for column in found.columns] == ["<i8", "<i8"]

    @pytest.mark.parametrize(
        ("predictions", "labels"),
        [
            ([0, 2], [0, 1]),
            ((0, 2), np.array([0, 1])),
            (np.array([0.0, 2.0]), np.array([0, 1], dtype=np.uint8)),
        ],
    )
    def test_lists_and_arrays_are_numbered_from_0(self, predictions: Any, labels: Any) -> None:
        found = check(predictions, labels)
        assert found.index == [0, 1]
        assert rows(found) == [[0, 0], [2, 1]]

    def test_names_of_classes_are_kept_as_they_are(self) -> None:
        found = check({1: "cat", 2: 0}, {1: "dog", 2: "cat"}, NAMED)
        assert rows(found) == [["cat", "dog"], [0, "cat"]]
        assert found.columns == ()

    def test_further_keys_are_passed_over(self) -> None:
        returned = {"predictions": [1], "labels": [1], "input_data": object(), "status": 200}
        assert check_test(returned, ASKED).index == [0]

    def test_label_sets_are_rows_of_zeros_and_ones(self) -> None:
        found = check({1: [0, 1, 1]}, {1: np.array([True, False, True])}, MULTI)
        assert rows(found) == [[[0, 1, 1], [1, 0, 1]]]
        assert found.columns[0].width == 3

    def test_label_sets_may_be_one_matrix(self) -> None:
        matrix = np.array([[0, 1, 0], [1, 1, 1]])
        assert rows(check(matrix, matrix.tolist(), MULTI))[1] == [[1, 1, 1], [1, 1, 1]]

    def test_regression_takes_any_finite_number(self) -> None:
        found = check([0.5, -1e6], np.array([1, 2]), Asked("regression"))
        assert rows(found) == [[[0.5], [1.0]], [[-1e6], [2.0]]]

    def test_maps_of_a_segmentation_have_the_same_shape(self) -> None:
        asked = Asked("segmentation", 2)
        found = check([np.zeros((2, 2), int)], [[[0, 1], [1, 0]]], asked)
        assert rows(found) == [[[[0, 0], [0, 0]], [[0, 1], [1, 0]]]]
        with pytest.raises(ContractError, match=r"different shapes \(samples 0\)"):
            check([np.zeros((2, 2))], [np.zeros((2, 3))], asked)

    def test_detections_need_no_scores_among_the_labels(self) -> None:
        label = {"boxes": [[0, 0, 1, 1]], "objects": [1]}
        found = check([{**label, "scores": [0.5]}], [label], Asked("object_detection", 2))
        assert rows(found) == [[{**label, "scores": [0.5]}, label]]


class TestBroken:
    @pytest.mark.parametrize(
        ("predictions", "labels", "said"),
        [
            ({1: 0}, {2: 0}, "1 only in `predictions`: 1; 1 only in `labels`: 2"),
            ({1: 0, 2: 0}, {2: 0}, "different keys: 1 only in `predictions`: 1"),
            ([0, 1], [0], "2 predictions and 1 labels"),
            ({1: 0}, [0], "`predictions` is a dict; expected two dicts"),
            ([0], "0", "`labels` is a str"),
            (3, [0], "`predictions` is a int"),
            ([], [], "returned no predictions"),
            ({}, {}, "returned no predictions"),
            ({1.5: 0}, {1.5: 0}, "1 of 1 keys of `predictions` are no indices"),
            ({1: 0, "1": 0}, {1: 0}, "`predictions` holds indices twice"),
            ([0, 3], [0, 1], "1 of 2 values of `predictions` are wrong (samples 1); expected a "
                             "class from 0 to 2"),
            ([0, 1], [-1, 1], "1 of 2 values of `labels` are wrong (samples 0)"),
            ([0, 0.5], [0, 1], "of `predictions` are wrong (samples 1)"),
            ([0, float("nan")], [0, 1], "of `predictions` are wrong (samples 1)"),
            ([0, "cat"], [0, 1], "of `predictions` are wrong (samples 1)"),
            ([0, None], [0, 1], "of `predictions` are wrong (samples 1)"),
            ([[0.1, 0.9, 0], [1, 0, 0]], [0, 1], "2 of 2 values of `predictions` are wrong"),
            ([0, object()], [0, 1], "of `predictions` are wrong (samples 1)"),
        ],
    )  # fmt: skip
    def test_a_broken_rule_is_named(self, predictions: Any, labels: Any, said: str) -> None:
        with pytest.raises(ContractError) as failed:
            check(predictions, labels)
        assert said in failed.value.message

    @pytest.mark.parametrize("returned", [None, [1], {}, {"predictions": [1]}, {"labels": [1]}])
    def test_both_sides_must_be_there(self, returned: Any) -> None:
        with pytest.raises(ContractError, match="no dict with `predictions` and `labels`"):
            check_test(returned, ASKED)

    def test_an_unknown_name_is_no_class(self) -> None:
        with pytest.raises(ContractError, match="or one of the experiment's names") as failed:
            check({1: "cow"}, {1: "cat"}, NAMED)
        assert "cow" not in failed.value.message
        assert "cow" in failed.value.detail

    @pytest.mark.parametrize("value", [[0, 1], [0, 1, 2], [0, 1, 0.5], 1, "010"])
    def test_a_label_set_of_another_form_is_refused(self, value: Any) -> None:
        with pytest.raises(ContractError, match="a list of 3 zeros and ones"):
            check({1: value}, {1: [0, 1, 0]}, MULTI)

    @pytest.mark.parametrize("value", [float("inf"), "high", None])
    def test_regression_takes_nothing_but_finite_numbers(self, value: Any) -> None:
        with pytest.raises(ContractError):
            check([value], [1.0], Asked("regression"))

    @pytest.mark.parametrize(
        "prediction",
        [
            {"boxes": [[0, 0, 1, 1]], "objects": [1]},
            {"boxes": [[0, 0, 1, 1]], "objects": [2], "scores": [0.5]},
            {"boxes": [[0, 0, 1, 1]], "objects": [1.0], "scores": [0.5]},
            {"boxes": [[0, 0, 1, 1]], "objects": [1, 1], "scores": [0.5]},
        ],
    )
    def test_a_broken_detection_is_refused(self, prediction: Any) -> None:
        label = {"boxes": [], "objects": []}
        with pytest.raises(ContractError, match="sample 0"):
            check([prediction], [label], Asked("object_detection", 2))
