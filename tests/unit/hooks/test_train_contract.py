"""What `train` may return."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.results import Asked
from alectio_agent.agent.hooks.child.train_result import check_train

ASKED = Asked("classification", 3)
NAMED = Asked("classification", 3, ["cat", "dog", "3"])
MANY = 30_000


@pytest.mark.parametrize(
    ("returned", "inline"),
    [
        (None, {}),
        ({}, {}),
        ({"labels": None, "hyperparams": None}, {}),
        ({"labels": [1, "cat"]}, {"labels": [1, "cat"]}),
        ({"labels": np.array([1, 2])}, {"labels": [1, 2]}),
        ({"labels": {4: 1, "8": np.int64(2)}}, {"labels": {"4": 1, "8": 2}}),
        ({"hyperparams": {"lr": 0.1, "n": None}}, {"hyperparams": {"lr": 0.1, "n": None}}),
        (
            {"hyperparams": {"a": np.float32(0.5), 3: (1, 2), "path": Path("/x"), "r": range(2)}},
            {"hyperparams": {"a": 0.5, "3": [1, 2], "path": "/x", "r": [0, 1]}},
        ),
    ],
)
def test_what_is_kept(returned: Any, inline: dict[str, Any]) -> None:
    found = check_train(returned, ASKED)
    assert found.inline == inline
    assert found.index == []
    assert found.notices == ()


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (3, "returned a int; expected None, or"),
        (["labels"], "returned a list"),
        ({"hyperparams": [1]}, "`hyperparams` is a list; expected a dict"),
        ({"hyperparams": {"optimizer": object()}}, "`hyperparams` cannot be sent"),
        ({"hyperparams": {"bad": {1, 2}}}, "`hyperparams` cannot be sent"),
        ({"hyperparams": {(1, 2): 3}}, "`hyperparams` cannot be sent"),
        ({"labels": "cat"}, "`labels` is a str; expected a list or {index: label}"),
        ({"labels": {"a": 1}}, "1 of 1 keys of `labels` are no indices"),
        ({"labels": [float("nan")]}, "`labels` cannot be sent"),
        ({"labels": [object()]}, "`labels` cannot be sent"),
    ],
)
def test_a_broken_rule_is_named(returned: Any, said: str) -> None:
    with pytest.raises(ContractError) as failed:
        check_train(returned, ASKED)
    assert said in failed.value.message


def test_what_cannot_be_sent_is_named_by_its_place() -> None:
    with pytest.raises(ContractError) as failed:
        check_train({"hyperparams": {"model": {"layers": [1, object()]}}}, ASKED)
    assert failed.value.detail.startswith("model.layers.1: a object is no")


def test_a_loss_that_is_nan_does_not_cost_the_training() -> None:
    found = check_train({"hyperparams": {"loss": float("nan"), "best": [float("inf"), 1.0]}}, ASKED)
    assert found.inline == {"hyperparams": {"loss": None, "best": [None, 1.0]}}
    assert "became null" in found.notices[0].text


def test_keys_that_nothing_reads_are_said() -> None:
    found = check_train({"loss": 0.1, "labels": [1]}, ASKED)
    assert found.inline == {"labels": [1]}
    assert "'loss'" in found.notices[0].text


def test_of_labels_that_are_too_many_for_the_message_only_counts_are_sent() -> None:
    found = check_train({"labels": [1, 2, 1.0] * MANY, "hyperparams": {"lr": 1}}, ASKED)
    assert found.inline == {"hyperparams": {"lr": 1}, "label_counts": {"1": 60_000, "2": 30_000}}
    (notice,) = found.notices
    assert "`labels` of train take 330,000 bytes as JSON" in notice.text
    assert "only how many there are of each class was sent" in notice.text
    assert notice.is_once


def test_labels_by_index_are_counted_too() -> None:
    found = check_train({"labels": dict.fromkeys(range(MANY), True)}, ASKED)
    assert found.inline == {"label_counts": {"1": MANY}}


def test_names_of_classes_are_counted_by_their_columns() -> None:
    """A class may be called 3, and its column be another."""
    found = check_train({"labels": ["dog", "3", 0, "3"] * MANY}, NAMED)
    assert found.inline == {"label_counts": {"0": MANY, "1": MANY, "2": 2 * MANY}}


@pytest.mark.parametrize("label", [7, -1, 0.5, "cow", None, [1]])
def test_labels_that_are_no_classes_are_not_counted(label: Any) -> None:
    found = check_train({"labels": [label] * 2 * MANY}, ASKED)
    assert found.inline == {}
    assert "was left out; expected less than 65,536" in found.notices[0].text


def test_labels_of_other_tasks_are_not_counted() -> None:
    found = check_train({"labels": [1] * 2 * MANY}, Asked("regression"))
    assert found.inline == {}
    assert "`labels` of train takes 180,000 bytes" in found.notices[0].text


def test_labels_that_fit_are_sent_as_they_are() -> None:
    assert check_train({"labels": [7, "cow"]}, ASKED).inline == {"labels": [7, "cow"]}
