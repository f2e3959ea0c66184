"""What is said about scores that are not to be believed."""

from typing import Any

import pytest

from alectio_agent.analysis.judging import answer_metrics
from alectio_agent.analysis.request import MetricsRequest


def warnings_of(*, sure: float, right: int) -> list[str]:
    """Of a model that is so sure of class 0 in each of ten samples, and right in some."""
    rows = [[at, [0, 0 if at < right else 1, [sure, 1 - sure]]] for at in range(10)]
    request: dict[str, Any] = {
        "op": "metrics",
        "classes": 2,
        "output": "probabilities",
        "result": {"inline": {"rows": rows}},
    }
    told: list[str] = answer_metrics(MetricsRequest.model_validate(request))["warnings"]
    return told


@pytest.mark.parametrize(
    ("sure", "right", "said"),
    [(0.9, 6, "is surer than it is right,"), (0.6, 10, "is more often right than it is sure,")],
)
def test_a_warning_says_whether_a_model_is_too_sure_or_not_sure_enough(
    sure: float, right: int, said: str
) -> None:
    (warning,) = warnings_of(sure=sure, right=right)
    assert said in warning


def test_nothing_is_said_of_scores_that_fit() -> None:
    assert warnings_of(sure=0.8, right=8) == []
