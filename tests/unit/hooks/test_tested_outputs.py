"""Scores that `test` may return beside its predictions: every rule kept, and broken once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.parts import PartWriter, store
from alectio_agent.agent.hooks.child.results import Asked, Result
from alectio_agent.agent.hooks.child.tested_result import check_test

ASKED = Asked("classification", 3, None, "logits")
NAMED = Asked("classification", 3, ["cat", "dog", "owl"], "logits")
KEYED = {7: 2, 5: 0}
ONE, TWO = [0.5, -1.0, 2.0], [3.0, 0.0, 1.0]
NAN = float("nan")


def check(
    outputs: Any, predictions: Any = KEYED, labels: Any = None, asked: Asked = ASKED
) -> Result:
    given = predictions if labels is None else labels
    return check_test({"predictions": predictions, "labels": given, "outputs": outputs}, asked)


def rows(result: Result) -> list[Any]:
    return result.plain_rows(0, len(result.index))


class TestKept:
    @pytest.mark.parametrize(
        "outputs",
        [
            {5: ONE, 7: TWO},
            {7: TWO, "5": np.array(ONE)},
            {np.int64(7): tuple(TWO), 5: np.array(ONE, dtype=np.float16)},
        ],
    )
    def test_rows_are_joined_to_predictions_by_their_keys(self, outputs: Any) -> None:
        found = check(outputs, labels={5: 1, 7: 1})
        assert found.index == [5, 7]
        assert rows(found) == [[0, 1, ONE], [2, 1, TWO]]
        assert [column.name for column in found.columns] == ["prediction", "label", "logits"]
        assert found.notices == ()

    @pytest.mark.parametrize("outputs", [[ONE, TWO], np.array([ONE, TWO]), {0: ONE, 1: TWO}])
    def test_predictions_without_keys_have_rows_in_their_order(self, outputs: Any) -> None:
        assert rows(check(outputs, [0, 2])) == [[0, 0, ONE], [2, 2, TWO]]

    def test_a_row_may_say_what_it_holds(self) -> None:
        found = check({5: {"softmax": [0.5, 0.5, 0], "embedding": [1]}, 7: {"softmax": [0, 0, 1],
                       "embedding": [2]}})  # fmt: skip
        assert rows(found) == [
            [0, 0, {"softmax": [0.5, 0.5, 0.0]}],
            [2, 2, {"softmax": [0.0, 0.0, 1.0]}],
        ]

    def test_names_of_classes_have_rows_too(self) -> None:
        found = check({5: ONE, 7: TWO}, {5: "cat", 7: "owl"}, {5: "dog", 7: "owl"}, NAMED)
        assert rows(found) == [["cat", "dog", ONE], ["owl", "owl", TWO]]

    def test_one_score_will_do_for_two_classes(self) -> None:
        found = check([0.5, -0.5], [1, 0], asked=Asked("classification", 2))
        assert rows(found) == [[1, 1, [0.5]], [0, 0, [-0.5]]]

    def test_none_is_no_scores(self) -> None:
        assert rows(check(None)) == [[0, 0], [2, 2]]

    def test_probabilities_where_scores_were_promised_are_said(self) -> None:
        (notice,) = check({5: [0.2, 0.3, 0.5], 7: [0, 0, 1]}).notices
        assert notice.text.startswith("test rows sum to 1; these look like probabilities")

    def test_probabilities_that_were_promised_are_fine(self) -> None:
        asked = Asked("classification", 3, None, "probabilities")
        assert check({5: [0.2, 0.3, 0.5], 7: [0, 0, 1]}, asked=asked).notices == ()

    @pytest.mark.parametrize("task", ["regression", "custom", "multi_label"])
    def test_other_tasks_are_told_that_nothing_reads_them(self, task: str) -> None:
        value: Any = [0, 1, 1] if task == "multi_label" else 0.5
        found = check("anything", [value], asked=Asked(task, 3))
        assert len(rows(found)[0]) == 2
        assert found.notices[0].text.endswith(f"which nothing reads for task {task}")

    def test_a_large_result_is_a_file_with_a_further_field(self, tmp_path: Path) -> None:
        scores = np.arange(15_000, dtype=np.float64).reshape(5000, 3)
        found = check(scores, [1] * 5000)
        stored = store(found, PartWriter(tmp_path, pytest.fail, lambda _: None))
        (part,) = stored["parts"]
        arrays = np.load(tmp_path / part["file"], allow_pickle=False)
        assert sorted(arrays) == ["index", "label", "logits", "prediction"]
        np.testing.assert_array_equal(arrays["logits"], scores.astype(np.float32))

    def test_a_small_result_has_a_third_entry_in_each_row(self, tmp_path: Path) -> None:
        stored = store(check({5: ONE, 7: TWO}), PartWriter(tmp_path, pytest.fail, lambda _: None))
        assert stored["inline"] == {"rows": [[5, [0, 0, ONE]], [7, [2, 2, TWO]]]}


class TestBroken:
    @pytest.mark.parametrize(
        ("outputs", "said"),
        [
            ({5: ONE}, "`predictions` have different keys: 1 only in `predictions`: 7"),
            ({5: ONE, 7: TWO, 9: TWO}, "different keys: 1 only in `outputs`: 9"),
            ({0: ONE, 1: TWO}, "2 only in `predictions`: 5, 7; 2 only in `outputs`: 0, 1"),
            ({5: ONE, "5": ONE, 7: TWO}, "`outputs` holds indices twice"),
            ({5: ONE, 7.5: TWO}, "1 of 2 keys of `outputs` are no indices"),
            ([ONE, TWO], "`outputs` is a list; expected {index: row} with the keys of"),
            (np.array([ONE, TWO]), "`outputs` is a ndarray; expected {index: row}"),
            ({5: ONE, 7: [1.0, 2.0]}, "scores, the experiment has 3 classes (samples 7)"),
            ({5: ONE, 7: [1.0, NAN, 2.0]}, "1 of 2 rows of `logits` hold NaN or an infinity: 7"),
            ({5: ONE, 7: [1.0, "x", 2.0]}, "hold something that is no number: 7"),
            ({5: ONE, 7: {"logits": TWO}}, "rows hold different fields"),
            ({5: {"box": ONE}, 7: {"box": TWO}}, "rows hold none of the fields logits"),
            ({5: {"embedding": ONE}, 7: {"embedding": TWO}}, "rows of `outputs` hold no scores"),
        ],
    )  # fmt: skip
    def test_a_broken_rule_is_named(self, outputs: Any, said: str) -> None:
        with pytest.raises(ContractError) as failed:
            check(outputs)
        assert said in failed.value.message

    @pytest.mark.parametrize(
        ("outputs", "said"),
        [
            ([ONE], "found 1 rows of `outputs` and 2 predictions"),
            (np.array([ONE] * 3), "found 3 rows of `outputs` and 2 predictions"),
            ({0: ONE, 2: TWO}, "1 only in `predictions`: 1; 1 only in `outputs`: 2"),
            ("rows", "`outputs` is a str; expected an array or a list"),
            (np.array(3.0), "`outputs` is a ndarray; expected an array or a list"),
            (3, "`outputs` is a int"),
        ],
    )
    def test_predictions_without_keys_have_rules_too(self, outputs: Any, said: str) -> None:
        with pytest.raises(ContractError) as failed:
            check(outputs, [0, 2])
        assert said in failed.value.message
