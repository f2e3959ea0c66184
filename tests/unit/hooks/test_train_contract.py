"""What `train` may return."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.train_result import check_train


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
    found = check_train(returned)
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
        check_train(returned)
    assert said in failed.value.message


def test_what_cannot_be_sent_is_named_by_its_place() -> None:
    with pytest.raises(ContractError) as failed:
        check_train({"hyperparams": {"model": {"layers": [1, object()]}}})
    assert failed.value.detail.startswith("model.layers.1: a object is no")


def test_a_loss_that_is_nan_does_not_cost_the_training() -> None:
    found = check_train({"hyperparams": {"loss": float("nan"), "best": [float("inf"), 1.0]}})
    assert found.inline == {"hyperparams": {"loss": None, "best": [None, 1.0]}}
    assert "became null" in found.notices[0].text


def test_keys_that_nothing_reads_are_said() -> None:
    found = check_train({"loss": 0.1, "labels": [1]})
    assert found.inline == {"labels": [1]}
    assert "'loss'" in found.notices[0].text


def test_labels_that_are_too_many_for_the_message_are_left_out_and_that_is_said() -> None:
    found = check_train({"labels": list(range(50_000)), "hyperparams": {"lr": 1}})
    assert found.inline == {"hyperparams": {"lr": 1}}
    assert "`labels` of train takes 338,890 bytes" in found.notices[0].text
