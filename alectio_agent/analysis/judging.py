"""Answers how good a model is."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.metrics.calibration import ROUGH, calibrate
from alectio_agent.analysis.request import MetricsRequest
from alectio_agent.analysis.tested import Tested, read_test
from alectio_agent.core.errors import ScoresError

# Without the figure: warnings of many loops that say the same are told once.
_ROUGH_SCORES = (
    f"scores are rough: calibration error above {ROUGH:g}. The model is {{}}, and what is chosen "
    "by its scores is chosen less well; the report has the diagram"
)
TOO_SURE = _ROUGH_SCORES.format("surer than it is right")
NOT_SURE_ENOUGH = _ROUGH_SCORES.format("more often right than it is sure")


def answer_metrics(request: MetricsRequest) -> dict[str, Any]:
    """Judge a model.

    Args:
        request: What it predicted, and the labels.

    Returns:
        `metrics`, `per_class`, `confusion`, empty for tasks that have no metrics here;
        `calibration`, None without scores; `warnings` for people.

    Raises:
        StrategyError: It cannot be done; the message says why.
    """
    if request.task != "classification" or request.classes is None:
        nothing: dict[str, Any] = {"metrics": {}, "per_class": {}, "confusion": []}
        return {**nothing, "calibration": None, "warnings": []}
    # Imported here: scikit-learn takes a second, and an experiment's first batch needs none of it.
    from alectio_agent.analysis.metrics.classification import classification_metrics, to_columns

    tested = read_test(request.result.files())
    declared = request.classes, request.class_names or []
    predictions = to_columns(tested.predictions, tested.index, "predictions", *declared)
    labels = to_columns(tested.labels, tested.index, "labels", *declared)
    found = asdict(classification_metrics(predictions, labels, request.classes))
    return found | _calibration(tested, labels, request)


def _calibration(
    tested: Tested, labels: NDArray[np.int64], request: MetricsRequest
) -> dict[str, Any]:
    """How far its confidence may be believed; scores that cannot be read cost no metrics."""
    try:
        outputs = tested.outputs(request.output, request.classes)
        if outputs is None:
            return {"calibration": None, "warnings": []}
        found = calibrate(outputs, tested.index, labels)
    except ScoresError as error:
        warning = f"calibration is not known: `outputs` of test: {error.message}"
        return {"calibration": None, "warnings": [warning]}
    is_worth_saying = found.ece > ROUGH and request.chooses_by_scores
    warnings = [TOO_SURE if found.gap > 0 else NOT_SURE_ENOUGH] if is_worth_saying else []
    return {"calibration": asdict(found), "warnings": warnings}
