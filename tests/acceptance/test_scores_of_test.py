"""Hooks that return `outputs` from `test`: one whole experiment, and what `try` says of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import HOOKS, read_experiment, run_command, write_project

PAIRS = '"labels": {index: index % CLASSES for index in chosen},'
RIGHT = '"outputs": rows,'


def with_outputs(said: str = RIGHT, labels: str = "") -> str:
    """The right hooks, with one more member in what `test` returns."""
    assert PAIRS in HOOKS
    hooks = HOOKS.replace(PAIRS, f"{PAIRS} {said}")
    if not labels:
        return hooks
    returned = 'return {"hyperparams": {"trained": model["trained"]}}'
    assert returned in hooks
    return hooks.replace(returned, f'return {{"labels": {labels}}}')


def tried(folder: Path, said: str, *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit code and check of `test`, and everything that is said."""
    write_project(folder, hooks=with_outputs(said))
    ran = run_command("try", "--json", *words, cwd=folder)
    checks = {check["check"]: check for check in json.loads(ran.stdout)}
    return ran.returncode, checks, ran.stdout


def test_an_experiment_keeps_calibration_and_what_its_selections_tell(tmp_path: Path) -> None:
    labels = "[index % CLASSES for index in payload['labeled']]"
    write_project(
        tmp_path,
        loops=3,
        hooks=with_outputs(labels=labels),
        strategy="strategy: margin\n",
        experiment="control: replay\n",
    )
    ran = run_command("run", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    first, second, third = read_experiment(tmp_path)["loops"]
    for loop in (first, second, third):
        assert sum(each["count"] for each in loop["calibration"]["bins"]) == 40
        is_rough = loop["calibration"]["ece"] > 0.1
        assert ("metrics" in loop["warnings"]) is is_rough
        assert sum(loop["class_counts"]["labelled"]) == loop["labels"]
        assert loop["batch_labels"] == [index % 3 for index in loop["selected"]]
    assert first["selection"]["histogram"] is None
    told = second["selection"]
    assert sum(told["histogram"]["counts"]) == sum(told["predicted"]) == 55
    assert sum(told["histogram"]["chosen"]) == 5
    assert told["histogram"]["cut"] == min(told["scores"])
    assert len(told["near_misses"]) == 10
    assert all(near["score"] <= told["histogram"]["cut"] for near in told["near_misses"])
    assert all(len(set(between)) == 2 for between in told["between"])
    assert first["class_counts"]["predicted"] == told["predicted"]
    assert third["class_counts"]["predicted"] is None
    control = read_experiment(tmp_path, "toy-control")["loops"]
    assert control[0]["selection"]["near_misses"] == []
    assert control[2]["calibration"] is not None


def test_right_scores_pass_all_checks_of_try(tmp_path: Path) -> None:
    code, checks, _ = tried(tmp_path, RIGHT)
    assert code == 0
    assert {check["state"] for check in checks.values()} == {"ok"}


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ('"outputs": list(rows.values()),', "`outputs` is a list; expected {index: row}"),
        ('"outputs": {1: [0, 0, 1]},', "have different keys"),
        ('"outputs": {index: row[:2] for index, row in rows.items()},',
         "rows of `logits` have 2 scores, the experiment has 3 classes"),
    ],
)  # fmt: skip
def test_wrong_scores_break_the_contract(tmp_path: Path, said: str, problem: str) -> None:
    code, checks, told = tried(tmp_path, said, "--step", "test")
    assert (code, checks["test"]["state"]) == (3, "failed")
    assert "E-HOOK-06" in told
    assert problem in checks["test"]["problems"][0]


def test_scores_in_another_order_than_the_predictions_are_a_warning(tmp_path: Path) -> None:
    shuffled = '"outputs": dict(zip(rows, list(rows.values())[1:] + list(rows.values())[:1])),'
    code, checks, _ = tried(tmp_path, shuffled, "--step", "test")
    assert (code, checks["test"]["state"]) == (0, "warn")
    (warning,) = checks["test"]["problems"]
    assert warning.startswith("E-HOOK-06  try: for ")
    assert "not the class with the highest score in `outputs`" in warning


def test_scores_that_differ_in_a_fresh_process_are_a_warning(tmp_path: Path) -> None:
    noisy = (
        '"outputs": {index: [x * (1 + each) for x in row] for each, (index, row) '
        "in zip(os.urandom(40), rows.items())},"
    )
    code, checks, _ = tried(tmp_path, noisy, "--step", "test")
    assert (code, checks["test again"]["state"]) == (0, "warn")
    (warning,) = checks["test again"]["problems"]
    assert "test gives other `outputs` in a fresh process for " in warning
