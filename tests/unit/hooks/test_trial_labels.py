"""Labels that `try` makes up where people give them."""

from pathlib import Path
from typing import Any

import pytest

from alectio_agent.agent.hooks.trial.order import TrialOrder, made_up_labels
from alectio_agent.config.pipeline import PipelineSettings


def order(**changed: Any) -> TrialOrder:
    pipeline = PipelineSettings.model_construct()
    return TrialOrder(
        **{
            "pipeline_name": "toy", "pipeline": pipeline, "experiment": "toy-try",
            "task": "classification", "classes": 2, "class_names": None, "output": "logits",
            "seed": 0, "batch": 3, "folder": Path("/x"), "needs_labels": True, **changed,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "labels"),
    [
        ({}, {"4": 0, "7": 1, "9": 0}),
        ({"class_names": ["cat", "dog"]}, {"4": "cat", "7": "dog", "9": "cat"}),
        ({"task": "multi_label"}, {"4": [0], "7": [1], "9": [0]}),
        ({"task": "regression", "classes": None}, {"4": 0.0, "7": 1.0, "9": 2.0}),
        ({"needs_labels": False}, None),
    ],
)
def test_each_class_comes_in_turn(changed: dict[str, Any], labels: Any) -> None:
    assert made_up_labels(order(**changed), [4, 7, 9]) == labels
