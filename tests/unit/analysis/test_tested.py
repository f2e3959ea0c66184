"""The result of `test` as arrays, with and without scores."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.analysis.files import ResultFiles
from alectio_agent.analysis.tested import read_test
from alectio_agent.core.errors import ScoresError
from tests.support.analysis import inline_result, ndjson_part, ndjson_result, npz_part, npz_result

SCORED = [[3, [0, 1, [2.0, 1.0]]], [5, [1, 1, [0.0, 4.0]]]]


def test_pairs_are_read_from_every_form(tmp_path: Path) -> None:
    rows = [[0, ["cat", "dog"]], [1, ["dog", "dog"]]]
    for result in (
        inline_result(rows),
        ndjson_result(ndjson_part(tmp_path / "a", rows[:1]), ndjson_part(tmp_path / "b", rows[1:])),
        npz_result(
            npz_part(tmp_path / "c.npz", index=[0, 1], prediction=["cat", "dog"], label=["dog"] * 2)
        ),
    ):
        found = read_test(result)
        assert found.index.tolist() == [0, 1]
        assert (found.predictions, found.labels) == (["cat", "dog"], ["dog", "dog"])
        assert found.outputs("logits", 2) is None


def scored_results(folder: Path) -> list[ResultFiles]:
    return [
        inline_result(SCORED),
        ndjson_result(ndjson_part(folder / "a", SCORED[:1]), ndjson_part(folder / "b", SCORED[1:])),
        npz_result(
            npz_part(folder / "c.npz", index=[3], prediction=[0], label=[1], logits=[[2.0, 1.0]]),
            npz_part(folder / "d.npz", index=[5], prediction=[1], label=[1], logits=[[0.0, 4.0]]),
        ),
    ]


def test_scores_are_read_from_every_form(tmp_path: Path) -> None:
    for result in scored_results(tmp_path):
        found = read_test(result)
        assert (found.predictions, found.labels) == ([0, 1], [1, 1])
        outputs = found.outputs("probabilities", 2)
        assert outputs is not None
        assert outputs.kind == "probabilities"
        assert outputs.take(np.array([0, 1])).tolist() == [[2.0, 1.0], [0.0, 4.0]]


def test_rows_may_say_what_they_hold() -> None:
    found = read_test(inline_result([[0, [1, 1, {"softmax": [0.25, 0.75]}]]]))
    outputs = found.outputs("logits", 2)
    assert outputs is not None
    assert (outputs.kind, len(outputs)) == ("probabilities", 1)


def test_scores_of_another_width_leave_predictions_and_labels_readable() -> None:
    found = read_test(inline_result(SCORED))
    with pytest.raises(ScoresError, match="rows have 2 scores; the experiment has 3 classes"):
        found.outputs("logits", 3)
    assert found.labels == [1, 1]


@pytest.mark.parametrize(
    "rows",
    [
        [[0, [1]]],
        [[0, [1, 1, [0.5], 2]]],
        [[0, 1]],
        [[0, [1, 1]], [1, [1, 1, [0.5, 0.5]]]],
        [[0, [1, 1, {"logits": [0.5]}]], [1, [1, 1, {"softmax": [0.5]}]]],
    ],
)
def test_rows_that_are_no_pairs_are_refused(rows: list[Any]) -> None:
    with pytest.raises(ScoresError, match="rows of different or unknown forms"):
        read_test(inline_result(rows))


def test_parts_that_hold_no_pairs_are_refused(tmp_path: Path) -> None:
    part = npz_part(tmp_path / "part.npz", index=[0, 1], prediction=[1, 1])
    with pytest.raises(ScoresError, match="a `prediction` and a `label` for each index"):
        read_test(npz_result(part))
    part = npz_part(tmp_path / "part.npz", index=[0, 1], prediction=[1, 1], label=[1])
    with pytest.raises(ScoresError, match="2 indices, 2 predictions and 1 labels"):
        read_test(npz_result(part))


def test_parts_with_and_without_scores_are_no_one_result(tmp_path: Path) -> None:
    found = read_test(
        npz_result(
            npz_part(tmp_path / "a.npz", index=[3], prediction=[0], label=[1], logits=[[2.0, 1.0]]),
            npz_part(tmp_path / "b.npz", index=[5], prediction=[1], label=[1]),
        )
    )
    with pytest.raises(ScoresError, match="expected scores"):
        found.outputs("logits", 2)
