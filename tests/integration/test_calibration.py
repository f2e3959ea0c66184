"""Scores of `test` on their way from a real hook process to the analysis."""

from pathlib import Path
from typing import Any

import pytest

from alectio_agent.analysis.judging import answer_metrics
from alectio_agent.analysis.request import MetricsRequest
from tests.support.hook_runs import HOOKS, HookBench

# Sure of class 0 by three to one, and right in 60 of 100.
TESTED = """
import math

def test(payload):
    count = {count}
    return {{
        "predictions": [0] * count,
        "labels": [0 if at % 100 < 60 else 1 for at in range(count)],
        "outputs": [[math.log(3), 0.0]] * count,
    }}
"""


@pytest.mark.parametrize("count", [100, 20_000], ids=["inline", "in a file"])
def test_scores_of_a_hook_become_a_reliability_diagram(tmp_path: Path, count: int) -> None:
    bench = HookBench(tmp_path)
    try:
        step = bench.step(bench.pipeline(HOOKS + TESTED.format(count=count)), "test")
        found = bench.slot.run(step)
    finally:
        bench.close()
    assert bool(found.parts) is (count > 100)
    source: dict[str, Any] = {
        "media_type": found.media_type,
        "parts": [step.folder / part.file for part in found.parts],
        "inline": found.inline,
    }
    judged = answer_metrics(
        MetricsRequest.model_validate(
            {"op": "metrics", "classes": 2, "output": "logits", "result": source}
        )
    )
    assert judged["metrics"]["accuracy"] == 0.6
    assert judged["calibration"]["ece"] == pytest.approx(0.15)
    held = [each for each in judged["calibration"]["bins"] if each["count"]]
    assert [(each["count"], each["accuracy"]) for each in held] == [(count, 0.6)]
    assert held[0]["confidence"] == pytest.approx(0.75)
    assert judged["warnings"][0].startswith("scores are rough: calibration error above 0.1")
