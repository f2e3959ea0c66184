"""What `infer` may return: every rule kept, and every rule broken once."""

from typing import Any

import numpy as np
import pytest

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.infer_result import check_infer
from alectio_agent.agent.hooks.child.results import Asked, Result

ASKED = Asked("classification", 3, None, "logits", [10, 20, 30])
ROW = [0.5, -2.0, 3.0]
EVERY = (10, 20, 30)
GOOD = {10: ROW, 20: ROW, 30: ROW}
NAN = float("nan")


def infer(outputs: Any, asked: Asked = ASKED, **more: Any) -> Result:
    return check_infer({"outputs": outputs, **more}, asked)


def same(row: Any) -> dict[int, Any]:
    """The same row for every sample."""
    return dict.fromkeys(EVERY, row)


def rows(result: Result) -> list[Any]:
    return result.plain_rows(0, len(result.index))


class TestKept:
    @pytest.mark.parametrize(
        "outputs",
        [
            GOOD,
            {str(index): row for index, row in GOOD.items()},
            {np.int64(index): row for index, row in GOOD.items()},
            {np.uint8(index): row for index, row in GOOD.items()},
            {index: tuple(row) for index, row in GOOD.items()},
            {index: np.array(row) for index, row in GOOD.items()},
            {index: np.array(row, dtype=np.float16) for index, row in GOOD.items()},
            {index: [np.float32(value) for value in row] for index, row in GOOD.items()},
            {index: np.array(row, dtype=object) for index, row in GOOD.items()},
            dict(reversed(GOOD.items())),
        ],
    )
    def test_every_spelling_of_the_same_rows_gives_the_same(self, outputs: Any) -> None:
        result = infer(outputs)
        assert result.index == [10, 20, 30]
        assert rows(result) == [ROW, ROW, ROW]
        assert [column.name for column in result.columns] == ["logits"]
        assert result.notices == ()

    def test_rows_are_matched_by_key_never_by_order(self) -> None:
        found = infer({30: [3, 3, 3], 10: [1, 1, 1], 20: [2, 2, 2]})
        assert rows(found) == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]

    @pytest.mark.parametrize("indices", [np.array([30, 10, 20]), [30, "10", np.int32(20)]])
    @pytest.mark.parametrize("as_list", [False, True])
    def test_a_matrix_goes_with_its_indices(self, indices: Any, as_list: bool) -> None:
        matrix = np.array([[3, 3, 3], [1, 1, 1], [2, 2, 2]], dtype=np.float64)
        found = infer(matrix.tolist() if as_list else matrix, indices=indices)
        assert rows(found) == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]

    def test_keys_0_to_n_are_positions_and_that_is_said(self) -> None:
        found = infer({2: [3, 0, 0], 0: [1, 0, 0], 1: [2, 0, 0]})
        assert found.index == [10, 20, 30]
        assert [row[0] for row in rows(found)] == [1, 2, 3]
        assert "positions" in found.notices[0].text
        assert found.notices[0].is_once

    def test_keys_that_are_the_asked_indices_are_no_positions(self) -> None:
        found = infer({1: ROW, 0: ROW}, Asked("classification", 3, None, "logits", [0, 1]))
        assert found.notices == ()

    def test_a_row_may_say_what_it_holds(self) -> None:
        row = {"pre_softmax": ROW, "embedding": [1, 2, 3, 4], "prediction": 2}
        found = infer(same(row))
        assert found.form == "fields"
        assert [column.name for column in found.columns] == ["pre_softmax", "embedding"]
        assert rows(found)[0] == {"pre_softmax": ROW, "embedding": [1, 2, 3, 4]}

    def test_one_score_is_enough_for_two_classes(self) -> None:
        two = Asked("classification", 2, None, "logits", [1, 2])
        assert rows(infer({1: 0.5, 2: [-0.5]}, two)) == [[0.5], [-0.5]]

    def test_nothing_asked_is_nothing_returned(self) -> None:
        assert infer({}, Asked("classification", 3, None, "logits", [])).index == []

    @pytest.mark.parametrize("as_array", [False, True])
    def test_rows_that_all_sum_to_one_get_a_warning(self, as_array: bool) -> None:
        row = np.array([0.2, 0.3, 0.5]) if as_array else [0.2, 0.3, 0.5]
        (notice,) = infer(same(row)).notices
        assert "E-HOOK-07" in notice.text
        assert not notice.is_once

    @pytest.mark.parametrize(
        ("row", "output"),
        [
            ([0.2, 0.3, 0.5], "probabilities"),
            ({"softmax": [0.2, 0.3, 0.5]}, "logits"),
            ([-1.0, 1.0, 1.0], "logits"),
        ],
    )
    def test_rows_that_may_sum_to_one_get_none(self, row: Any, output: str) -> None:
        asked = Asked("classification", 3, None, output, [10, 20, 30])
        assert infer(same(row), asked).notices == ()

    def test_one_row_that_does_not_sum_to_one_clears_the_others(self) -> None:
        assert infer({**same([0.2, 0.3, 0.5]), 30: ROW}).notices == ()

    def test_numbers_are_single_precision_whatever_they_came_as(self) -> None:
        as_list = rows(infer(same([0.1, 0, 0])))[0]
        as_array = rows(infer(same(np.array([0.1, 0, 0]))))[0]
        assert as_list == as_array == [float(np.float32(0.1)), 0, 0]


class TestBroken:
    @pytest.mark.parametrize(
        ("outputs", "said"),
        [
            ({10: ROW, 20: ROW}, "1 of 3 rows missing: 30; 0 unasked"),
            ({**GOOD, 40: ROW}, "0 of 3 rows missing; 1 unasked: 40"),
            ({10: ROW, 20: ROW, 40: ROW}, "1 of 3 rows missing: 30; 1 unasked: 40"),
            ({0: ROW, 1: ROW}, "3 of 3 rows missing: 10, 20, 30; 2 unasked: 0, 1"),
            ({**GOOD, "10": ROW}, "holds indices twice (3 and '3' are the same): 10"),
            ({True: ROW, 10: ROW, 20: ROW}, "1 of 3 keys of `outputs` are no indices"),
            ({np.True_: ROW, 10: ROW, 20: ROW}, "1 of 3 keys of `outputs` are no indices"),
            ({10.0: ROW, 20: ROW, 30: ROW}, "1 of 3 keys of `outputs` are no indices"),
            ({np.float64(10): ROW, 20: ROW, 30: ROW}, "1 of 3 keys"),
            ({-1: ROW, 20: ROW, 30: ROW}, "1 of 3 keys of `outputs` are no indices"),
            ({"a": ROW, "1.0": ROW, " 3": ROW, "٣": ROW}, "4 of 4 keys of `outputs`"),
            ({None: ROW, (1,): ROW}, "2 of 2 keys of `outputs` are no indices"),
            ([ROW, ROW, ROW], "a bare list"),
            (np.zeros((3, 3)), "a bare ndarray"),
            (None, "a bare NoneType"),
            (same([1, 2]), "have 2 scores, the experiment has 3 classes"),
            (same(np.zeros(4)), "have 4 scores, the experiment has 3 classes"),
            ({**GOOD, 20: [1, 2]}, "have 2 and 3 scores, the experiment has 3 classes (samples"),
            (same(1.0), "have 1 scores, the experiment has 3 classes"),
            (same({"sigmoid": [1]}), "`sigmoid` have 1 scores"),
            (same(np.zeros((2, 3))), "`logits` has 3 dimensions"),
            ({**GOOD, 20: [1, NAN, 2]}, "1 of 3 rows of `logits` hold NaN or an infinity: 20"),
            ({**GOOD, 30: [1, 2, float("-inf")]}, "hold NaN or an infinity: 30"),
            ({**GOOD, 10: [np.inf, -np.inf, 0]}, "hold NaN or an infinity: 10"),
            (same(np.array([1, NAN, 2])), "3 of 3 rows of `logits` hold NaN"),
            ({**GOOD, 10: [1e300, 0, 0]}, "hold NaN or an infinity: 10"),
            (same(np.array([1e300, 0, 0])), "hold NaN or an infinity"),
            ({**GOOD, 20: ["1", "2", "3"]}, "hold something that is no number: 20"),
            ({**GOOD, 20: [1, None, 3]}, "hold something that is no number: 20"),
            ({**GOOD, 20: "abc"}, "have 1 and 3 scores"),
            (same(np.array(["a", "b", "c"])), "no number: 10, 20, 30"),
            (same({"scores": ROW}), "none of the fields logits, pre_softmax"),
            ({**GOOD, 20: {"logits": ROW}}, "different fields; expected the same in each (samples"),
            ({10: {"logits": ROW}, 20: ROW, 30: {"softmax": ROW}}, "(samples 20, 30)"),
            (
                {i: {"logits": ROW, "embedding": [1] * (1 + i // 20)} for i in GOOD},
                "`embedding` have 1 and 2 numbers; expected one width (samples 20, 30)",
            ),
        ],
    )  # fmt: skip
    def test_a_broken_rule_names_the_samples_and_the_rule(self, outputs: Any, said: str) -> None:
        with pytest.raises(ContractError) as failed:
            infer(outputs)
        assert said in failed.value.message

    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            (None, "returned a NoneType"),
            ([ROW], "returned a list"),
            (GOOD, "a dict without `outputs`"),
            ({"outputs": GOOD, "indices": [10, 20, 30]}, "both a dict and `indices`"),
            ({"outputs": [ROW] * 3, "indices": [10, 20]}, "3 rows and `indices` 2"),
            ({"outputs": np.zeros((3, 3)), "indices": np.array([10.0, 20, 30])}, "3 of 3 keys"),
            (
                {"outputs": np.zeros((3, 3)), "indices": [10, 10, 20]},
                "`indices` holds indices twice",
            ),
            ({"outputs": np.zeros((3, 3)), "indices": 10}, "`indices` is a int"),
            ({"outputs": "abc", "indices": [1]}, "`outputs` is a str"),
            ({"outputs": np.zeros((3, 2, 2)), "indices": [10, 20, 30]}, "has 3 dimensions"),
        ],
    )
    def test_a_result_of_another_shape_is_refused(self, returned: Any, said: str) -> None:
        with pytest.raises(ContractError) as failed:
            check_infer(returned, ASKED)
        assert said in failed.value.message

    def test_at_most_ten_keys_are_named(self) -> None:
        asked = Asked("classification", 3, None, "logits", list(range(100, 1700)))
        with pytest.raises(ContractError) as failed:
            infer(dict.fromkeys(range(125, 1700), ROW), asked)
        assert "25 of 1,600 rows missing: 100, 101, 102," in failed.value.message
        assert "109 and 15 more; 0 unasked" in failed.value.message
        assert failed.value.code == "E-HOOK-04"

    def test_missing_rows_alone_name_their_usual_cause(self) -> None:
        with pytest.raises(ContractError, match="drop_last=True"):
            infer({10: ROW})
        with pytest.raises(ContractError) as failed:
            infer({10: ROW, 11: ROW, 30: ROW})
        assert "drop_last" not in failed.value.message

    def test_values_stand_in_the_detail_only(self) -> None:
        """The message may leave the site, the detail does not."""
        with pytest.raises(ContractError) as failed:
            infer({"patient Smith": ROW, 10: ROW, 20: ROW})
        assert "Smith" not in failed.value.message
        assert "Smith" in failed.value.detail


class TestOtherTasks:
    def test_detections_stay_nested(self) -> None:
        asked = Asked("object_detection", 2, None, "detection", [5, 7])
        image = {
            "boxes": np.array([[0, 0, 0.5, 1]]), "scores": [np.float32(0.5)],
            "pre_softmax": [[1.0, 2.0]],
        }  # fmt: skip
        empty = {"boxes": [], "scores": [], "pre_softmax": []}
        found = infer({7: empty, 5: image}, asked)
        assert found.columns == ()
        assert rows(found)[0] == {
            "boxes": [[0.0, 0.0, 0.5, 1.0]], "scores": [0.5], "pre_softmax": [[1.0, 2.0]],
        }  # fmt: skip
        assert rows(found)[1] == empty

    @pytest.mark.parametrize(
        ("image", "said"),
        [
            ([[0, 0, 1, 1]], "sample 5: expected a dict with boxes, scores, pre_softmax"),
            ({"boxes": [], "scores": []}, "expected a dict with boxes, scores, pre_softmax"),
            ({"boxes": [[0, 0, 1]], "scores": [1], "pre_softmax": [[1, 2]]}, "expected 4 numbers"),
            ({"boxes": [[0, 0, 1, 1]], "scores": [], "pre_softmax": [[1, 2]]}, "1 boxes and 0 `sc"),
            ({"boxes": [[0, 0, 1, 1]], "scores": ["x"], "pre_softmax": [[1, 2]]}, "a number"),
            ({"boxes": [[0, 0, 1, 1]], "scores": [1], "pre_softmax": [[1]]}, "expected 2 numbers"),
            ({"boxes": 3, "scores": [], "pre_softmax": []}, "`boxes` is no list"),
            ({"boxes": [[NAN, 0, 1, 1]], "scores": [1], "pre_softmax": [[1, 2]]}, "cannot be sent"),
        ],
    )
    def test_a_broken_detection_names_its_image(self, image: Any, said: str) -> None:
        asked = Asked("object_detection", 2, None, "detection", [5])
        with pytest.raises(ContractError) as failed:
            infer({5: image}, asked)
        assert said in failed.value.message
        assert "sample 5" in failed.value.message

    def test_regression_takes_numbers_of_any_width(self) -> None:
        asked = Asked("regression", None, None, "regression", [1, 2])
        assert [column.name for column in infer({1: 0.5, 2: 1}, asked).columns] == ["value"]
        assert rows(infer({1: [1, 2], 2: [3, 4]}, asked)) == [[1, 2], [3, 4]]

    def test_custom_takes_whatever_json_can_hold(self) -> None:
        asked = Asked("custom", None, None, None, [1, 2])
        found = infer({2: {"b": np.int64(3)}, 1: ["a", None]}, asked)
        assert rows(found) == [["a", None], {"b": 3}]
        with pytest.raises(ContractError, match="sample 2 cannot be sent"):
            infer({1: 0, 2: object()}, asked)
        with pytest.raises(ContractError, match="sample 1 cannot be sent"):
            infer({1: np.array([1.0, np.nan]), 2: 0}, asked)
