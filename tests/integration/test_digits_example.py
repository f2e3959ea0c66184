"""The digits hooks, called as plain functions."""

import contextlib
import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.examples import EXAMPLES, load_module

EXAMPLE = EXAMPLES / "digits"


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    return load_module("digits", "processes")


@pytest.fixture
def summary(monkeypatch: pytest.MonkeyPatch, hooks: ModuleType) -> ModuleType:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setitem(sys.modules, "processes", hooks)
    return load_module("digits", "summary")


def payload(folder: Path, ckpt_file: str = "digits-ckpt_0", **fields: Any) -> dict[str, Any]:
    return {"ckpt_dir": str(folder), "ckpt_file": ckpt_file, "resume_from": None, **fields}


def of_digits(hooks: ModuleType, digits: set[int], count: int) -> list[int]:
    return [at for at in range(hooks.POOL_SIZE) if int(hooks.DIGITS[at]) in digits][:count]


def iterations(hooks: ModuleType, folder: Path, **fields: Any) -> int:
    result = hooks.train(payload(folder, **fields))
    return int(result["hyperparams"]["iterations"])


def weights(folder: Path, name: str) -> np.ndarray:
    with np.load(folder / name, allow_pickle=False) as saved:
        return saved["weights"]


def test_the_checkpoint_lies_under_exactly_the_name_in_the_payload(
    hooks: ModuleType, tmp_path: Path
) -> None:
    hooks.train(payload(tmp_path, "digits-ckpt_0-a2", labeled=[0, 1, 2]))
    assert [path.name for path in tmp_path.iterdir()] == ["digits-ckpt_0-a2"]


def test_a_fit_resumed_on_the_same_labels_has_nothing_left_to_do(
    hooks: ModuleType, tmp_path: Path
) -> None:
    labeled = list(range(120))
    assert iterations(hooks, tmp_path, labeled=labeled) > 10
    again = iterations(hooks, tmp_path, ckpt_file="b", resume_from="digits-ckpt_0", labeled=labeled)
    assert again <= 1
    np.testing.assert_allclose(weights(tmp_path, "b"), weights(tmp_path, "digits-ckpt_0"))


def test_a_resumed_fit_on_more_labels_takes_fewer_iterations(
    hooks: ModuleType, tmp_path: Path
) -> None:
    iterations(hooks, tmp_path, labeled=list(range(300)))
    more = list(range(330))
    warm = iterations(hooks, tmp_path, ckpt_file="b", resume_from="digits-ckpt_0", labeled=more)
    cold = iterations(hooks, tmp_path, ckpt_file="c", labeled=more)
    assert warm < cold


def test_a_missing_checkpoint_to_resume_from_is_not_passed_over(
    hooks: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        hooks.train(payload(tmp_path, resume_from="digits-ckpt_7", labeled=[0, 1, 2]))


@pytest.mark.parametrize("seen", [{3}, {3, 8}, {1, 3, 8}])
def test_classes_without_a_label_have_a_column_and_are_never_predicted(
    hooks: ModuleType, tmp_path: Path, seen: set[int]
) -> None:
    hooks.train(payload(tmp_path, labeled=of_digits(hooks, seen, 40)))
    assert set(hooks.test(payload(tmp_path))["predictions"].values()) <= seen
    rows = np.array(list(hooks.infer(payload(tmp_path, unlabeled=[5, 6]))["outputs"].values()))
    unseen = sorted(set(range(10)) - seen)
    assert rows.shape == (2, 10)
    assert np.isfinite(rows).all()
    assert (rows[:, unseen] < rows[:, sorted(seen)].min() - 50).all()


def test_two_classes_are_told_apart(hooks: ModuleType, tmp_path: Path) -> None:
    """With two classes scikit-learn keeps one row of weights; both columns must be right."""
    hooks.train(payload(tmp_path, labeled=of_digits(hooks, {0, 1}, 60)))
    result = hooks.test(payload(tmp_path))
    pairs = [
        (result["predictions"][row], digit)
        for row, digit in result["labels"].items()
        if digit in (0, 1)
    ]
    assert sum(prediction == digit for prediction, digit in pairs) / len(pairs) > 0.95


def test_classes_that_appear_later_join_a_resumed_model(hooks: ModuleType, tmp_path: Path) -> None:
    labeled: list[int] = []
    previous = None
    for loop, seen in enumerate(({3}, {3, 8}, {1, 3, 8}, set(range(10)))):
        labeled = sorted(set(labeled) | set(of_digits(hooks, seen, 60)))
        name = f"digits-ckpt_{loop}"
        hooks.train(payload(tmp_path, name, resume_from=previous, labeled=labeled))
        previous = name
    predictions = hooks.test(payload(tmp_path, previous))["predictions"]
    assert set(predictions.values()) == set(range(10))


def test_the_same_payload_gives_the_same_result(hooks: ModuleType, tmp_path: Path) -> None:
    results = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        hooks.train(payload(folder, labeled=list(range(90))))
        outputs = hooks.infer(payload(folder, unlabeled=[100, 200, 300]))["outputs"]
        results.append((folder.joinpath("digits-ckpt_0").read_bytes()[-200:], outputs))
    assert results[0][1].keys() == results[1][1].keys() == {100, 200, 300}
    for index in results[0][1]:
        np.testing.assert_array_equal(results[0][1][index], results[1][1][index])
    np.testing.assert_array_equal(
        weights(tmp_path / "a", "digits-ckpt_0"), weights(tmp_path / "b", "digits-ckpt_0")
    )


def test_pool_and_test_set_do_not_meet(hooks: ModuleType, tmp_path: Path) -> None:
    hooks.train(payload(tmp_path, labeled=[0, 1, 2]))
    result = hooks.test(payload(tmp_path))
    assert len(result["labels"]) == 360
    assert result["labels"].keys() == result["predictions"].keys() == result["outputs"].keys()
    assert min(result["labels"]) == hooks.POOL_SIZE == 1437


def write_curves(folder: Path, digits: str, control: str) -> None:
    for name, rows in (("digits", digits), ("digits-control", control)):
        (folder / name).mkdir(parents=True)
        lines = "\n".join(f"{at},{row}" for at, row in enumerate(rows.split()))
        (folder / name / "loops.csv").write_text(f"loop,labels,accuracy,macro_f1\n{lines}\n")


@pytest.mark.parametrize(
    ("digits", "control", "code", "shown"),
    [
        ("30,0.6,0.6 60,0.88,0.9", "30,0.6,0.6 60,0.7,0.7 90,0.88,0.9", 0, ["60", "90"]),
        ("30,0.6,0.6 60,0.88,0.9", "30,0.6,0.6 60,0.7,0.7", 0, ["60", "not in 60"]),
        ("30,0.6,0.6 60,0.88,0.9", "30,0.6,0.6 60,0.88,0.9", 1, ["60", "60"]),
        ("30,0.6,0.6 60,0.7,0.7", "30,0.6,0.6 60,0.88,0.9", 1, ["not in 60", "60"]),
        ("30,0.6,0.6 60,,", "30,0.6,0.6 60,,", 1, ["not in 30", "not in 30"]),
    ],
)
def test_the_summary_shows_who_needed_fewer_labels(
    summary: ModuleType, tmp_path: Path, digits: str, control: str, code: int, shown: list[str]
) -> None:
    write_curves(tmp_path, digits, control)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert summary.main(tmp_path) == code
    rows = [line for line in printed.getvalue().splitlines() if line.startswith("digits")]
    assert [needed in row for needed, row in zip(shown, rows, strict=True)] == [True, True]
    assert "all 1,437 labels: accuracy 0.900" in printed.getvalue()


def test_the_summary_says_what_is_missing(
    summary: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert summary.main(tmp_path) == 1
    assert "run the experiment first" in capsys.readouterr().err
    write_curves(tmp_path, "30,,", "30,,")
    assert summary.main(tmp_path) == 1
    assert "no loop with a metric yet" in capsys.readouterr().err


def test_nothing_but_one_line_is_printed_while_training(
    hooks: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks.train(payload(tmp_path, labeled=list(range(90))))
    captured = capsys.readouterr()
    assert captured.out.startswith("90 labels, 10 of 10 classes, ")
    assert captured.out.count("\n") == 1
    assert captured.err == ""
