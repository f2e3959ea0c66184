"""The parts of `try` that need no process: samples, comparisons, files."""

import gzip
import json
import random
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.child.columns import float_column, integer_column
from alectio_agent.agent.hooks.child.npz import npz_buffers
from alectio_agent.agent.hooks.steps import PartFile
from alectio_agent.agent.hooks.trial.agreement import (
    accuracy,
    compare_tests,
    differing_rows,
    is_same,
)
from alectio_agent.agent.hooks.trial.order import TrialOrder, choose_samples, trial_name
from alectio_agent.agent.hooks.trial.rows import read_rows
from alectio_agent.agent.hooks.trial.tested_scores import scores_of, unlikely_predictions
from alectio_agent.agent.hooks.trial.written import snapshot, written_between
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.wire.names import EXPERIMENT_PATTERN
from tests.support.hooks import make_outcome


def make_order(tmp_path: Path, batch: int = 30, classes: int | None = 3) -> TrialOrder:
    pipeline = PipelineSettings(hooks=tmp_path / "p.py")
    return TrialOrder(
        "toy", pipeline, "toy-try", "classification", classes, None, "logits", 7, batch, tmp_path
    )


class TestSamples:
    def chosen(self, order: TrialOrder, pool: int, seed: int = 1):
        return choose_samples(order, pool, random.Random(seed))

    def test_the_first_batch_and_two_hundred_others(self, tmp_path: Path) -> None:
        found = self.chosen(make_order(tmp_path), 10_000)
        assert (len(found.labeled), len(found.unlabeled)) == (30, 200)
        assert found.labeled == sorted(set(found.labeled))
        assert found.unlabeled == sorted(set(found.unlabeled))
        assert not set(found.labeled) & set(found.unlabeled)
        assert max(found.unlabeled) > 9000, "spread over the pool"

    def test_a_large_batch_is_cut(self, tmp_path: Path) -> None:
        assert len(self.chosen(make_order(tmp_path, batch=5000), 10_000).labeled) == 64

    def test_but_not_below_two_labels_for_each_class(self, tmp_path: Path) -> None:
        order = make_order(tmp_path, batch=5000, classes=1000)
        assert len(self.chosen(order, 10_000).labeled) == 2000

    def test_the_same_seed_chooses_the_same(self, tmp_path: Path) -> None:
        order = make_order(tmp_path)
        assert self.chosen(order, 500) == self.chosen(order, 500)
        assert self.chosen(order, 500) != self.chosen(order, 500, seed=2)

    def test_a_pool_that_is_all_labelled_has_no_others(self, tmp_path: Path) -> None:
        found = self.chosen(make_order(tmp_path), 30)
        assert (found.labeled, found.unlabeled) == (list(range(30)), [])
        assert found.grown() == found

    def test_a_loop_later_more_are_labelled(self, tmp_path: Path) -> None:
        found = self.chosen(make_order(tmp_path), 500)
        later = found.grown()
        assert len(later.labeled) == 60
        assert set(found.labeled) < set(later.labeled)
        assert {*later.labeled, *later.unlabeled} == {*found.labeled, *found.unlabeled}

    @pytest.mark.parametrize("name", ["toy", "x" * 64])
    def test_the_name_is_no_experiments_and_a_name_all_the_same(
        self, tmp_path: Path, name: str
    ) -> None:
        import re

        assert re.fullmatch(EXPERIMENT_PATTERN, trial_name(name) + "-2")
        assert trial_name(name).endswith("-try")


class TestValues:
    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            ([1.0, -2.0, 10.0], [1.1, -2.1, 9.9], True),
            ([1.0, -2.0, 10.0], [1.3, -2.0, 10.0], False),
            ([0.0, 0.0], [0.0, 0.0], True),
            (100, 101, False),
            ("cat", "cat", True),
            ("cat", "dog", False),
            ([1, 0, 1], [1, 0], False),
            (
                {"boxes": [[1.0, 2.0]], "objects": [3]},
                {"objects": [3], "boxes": [[1.0, 2.0]]},
                True,
            ),
            ({"objects": [3]}, {"objects": [4]}, False),
            (1.0, "1.0", False),
        ],
    )
    def test_rounding_is_forgiven_and_nothing_else(self, first, second, same: bool) -> None:
        assert is_same(first, second) is same

    def test_only_samples_of_both_results_are_compared(self) -> None:
        assert differing_rows({1: [1.0], 2: [5.0], 3: [0.0]}, {2: [9.0], 3: [0.0], 4: [1.0]}) == [2]


class TestAgreement:
    def test_both_accuracies_are_told(self) -> None:
        first = {index: [1, 1] for index in range(100)}
        second = {index: [1 if index < 11 else 0, 1] for index in range(100)}
        found = compare_tests(first, second, None, "classification")
        assert found.describe() == "accuracy 1.00, then 0.11"
        assert not found.is_full
        assert not found.is_near

    def test_equal_accuracies_say_too_little(self) -> None:
        found = compare_tests(
            {0: [1, 1], 1: [0, 1]}, {0: [0, 1], 1: [1, 1]}, None, "classification"
        )
        assert found.describe() == "accuracy 0.50, then 0.50; 2 of 2 predictions differ"

    def test_other_tasks_count_what_differs(self) -> None:
        found = compare_tests({0: [1.0, 1.0], 1: [2.0, 1.0]}, {0: [1.0, 1.0], 1: [3.0, 1.0]},
                              None, "regression")  # fmt: skip
        assert found.describe() == "1 of 2 predictions differ"

    def test_a_sample_of_one_result_only_differs(self) -> None:
        assert compare_tests({0: [1, 1]}, {1: [1, 1]}, None, "custom").differing == [0, 1]

    def test_one_prediction_in_a_thousand_may_be_rounding(self) -> None:
        first = {index: [1, 1] for index in range(1000)}
        found = compare_tests(first, {**first, 3: [0, 1]}, None, "classification")
        assert found.is_near
        assert not found.is_full

    def test_names_and_numbers_of_classes_mean_the_same(self) -> None:
        assert accuracy({0: ["dog", 1], 1: [0, "dog"]}, ["cat", "dog"]) == 0.5


class TestScores:
    def test_predictions_belong_to_the_highest_score(self) -> None:
        rows = {3: [1, 0, [0.5, 2.0]], 4: [0, 0, [0.5, 2.0]], 5: [0, 0, [1.0, 1.0]]}
        assert unlikely_predictions(rows, None) == [4]

    def test_names_and_fields_are_understood(self) -> None:
        rows = {3: ["dog", 0, {"softmax": [0.5, 0.5]}], 4: ["cat", 0, {"softmax": [0.25, 0.75]}]}
        assert unlikely_predictions(rows, ["cat", "dog"]) == [4]

    def test_one_score_tells_nothing_and_no_score_neither(self) -> None:
        assert unlikely_predictions({3: [1, 0, [-2.0]], 4: [1, 0]}, None) == []

    def test_accuracy_and_agreement_look_at_the_pairs_alone(self) -> None:
        first = {0: [1, 1, [0.0, 1.0]], 1: [0, 1, [1.0, 0.0]]}
        second = {0: [1, 1, [5.0, 9.0]], 1: [0, 1, [1.0, 0.0]]}
        assert accuracy(first, None) == 0.5
        assert compare_tests(first, second, None, "classification").is_full
        assert differing_rows(scores_of(first), scores_of(second)) == [0]


class TestRows:
    def test_an_inline_result(self, tmp_path: Path) -> None:
        outcome = make_outcome(inline={"rows": [[4, [1.0, 2.0]], [9, [0.0, 1.0]]]})
        assert read_rows(outcome, tmp_path) == {4: [1.0, 2.0], 9: [0.0, 1.0]}

    def read(self, folder: Path, name: str, content: bytes) -> dict:
        (folder / name).write_bytes(content)
        part = PartFile(name, "", len(content), 2)
        return read_rows(make_outcome(inline=None, parts=(part,)), folder)

    def test_parts_of_scores(self, tmp_path: Path) -> None:
        column = float_column("logits", [[1.0, 2.0], [3.0, 4.5]], [4, 9])
        content = b"".join(npz_buffers([4, 9], [column], 0, 2))
        assert self.read(tmp_path, "a.npz", content) == {4: [1.0, 2.0], 9: [3.0, 4.5]}

    def test_parts_of_predictions_and_labels(self, tmp_path: Path) -> None:
        columns = [integer_column("prediction", [1, 0]), integer_column("label", [1, 1])]
        content = b"".join(npz_buffers([4, 9], columns, 0, 2))
        assert self.read(tmp_path, "a.npz", content) == {4: [1, 1], 9: [0, 1]}

    def test_parts_of_predictions_labels_and_scores(self, tmp_path: Path) -> None:
        columns = [integer_column("prediction", [1, 0]), integer_column("label", [1, 1]),
                   float_column("logits", [[1.0, 2.0], [3.0, 4.5]], [4, 9])]  # fmt: skip
        content = b"".join(npz_buffers([4, 9], columns, 0, 2))
        found = self.read(tmp_path, "a.npz", content)
        assert found == {4: [1, 1, [1.0, 2.0]], 9: [0, 1, [3.0, 4.5]]}
        assert scores_of(found) == {4: [1.0, 2.0], 9: [3.0, 4.5]}

    def test_parts_of_several_fields(self, tmp_path: Path) -> None:
        columns = [float_column("logits", [[1.0], [2.0]], [4, 9]),
                   float_column("embedding", [[0.5, 1.5], [2.5, 3.5]], [4, 9])]  # fmt: skip
        content = b"".join(npz_buffers([4, 9], columns, 0, 2))
        assert self.read(tmp_path, "a.npz", content)[9] == {
            "logits": [2.0],
            "embedding": [2.5, 3.5],
        }

    def test_parts_of_lines(self, tmp_path: Path) -> None:
        lines = "".join(json.dumps([index, {"boxes": []}]) + "\n" for index in (4, 9))
        content = gzip.compress(lines.encode())
        assert self.read(tmp_path, "a.ndjson.gz", content) == {4: {"boxes": []}, 9: {"boxes": []}}


class TestWrittenFiles:
    def test_new_and_changed_files_are_found_and_others_not(self, tmp_path: Path) -> None:
        ours = tmp_path / ".alectio"
        for folder in (ours, tmp_path / "runs", tmp_path / "__pycache__"):
            folder.mkdir()
        (tmp_path / "data.bin").write_text("x")
        (tmp_path / "last.pt").write_text("x")
        before = snapshot(tmp_path, [ours])
        (tmp_path / "last.pt").write_text("xx")
        (tmp_path / "runs/events").touch()
        (tmp_path / "__pycache__/p.pyc").touch()
        (ours / "hooks.log").touch()
        after = snapshot(tmp_path, [ours])
        assert written_between(before, after) == ["last.pt", "runs/events"]

    def test_too_many_files_are_not_looked_at(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alectio_agent.agent.hooks.trial.written.MOST_FILES", 2)
        for name in "abc":
            (tmp_path / name).touch()
        assert snapshot(tmp_path, []) is None
        assert written_between(None, {}) == []
