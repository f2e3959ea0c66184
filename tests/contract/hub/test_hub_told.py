"""What the analysis process tells beside a batch and metrics is kept and shown."""

from typing import Any

import pytest
from sqlalchemy import update

from alectio_agent.hub.experiments.results_document import read_document
from alectio_agent.hub.store.tables import selections
from alectio_agent.wire.strict_json import dumps
from tests.support.benches import Bench

CHANCE = {
    "indices": [0, 1, 2, 3], "scores": [None] * 4, "reasons": ["random"] * 4,
    "between": [None] * 4, "pool": 20, "equal_rows": 0,
    "predicted": None, "histogram": None, "near_misses": [],
}  # fmt: skip
TOLD = {
    "between": [[0, 1], [1, 0], [0, 1], [1, 0]],
    "predicted": [9, 7],
    "histogram": {"strategy": "margin", "measure": "margin", "edges": [0.0, 1.0], "counts": [16],
                  "chosen": [4], "cut": 0.25},
    "near_misses": [{"index": 9, "score": 0.2, "between": [1, 0]}],
}  # fmt: skip
BATCH = {
    "indices": [4, 5, 6, 7], "scores": [0.25] * 4, "reasons": ["margin"] * 4,
    "pool": 16, "equal_rows": 0, **TOLD,
}  # fmt: skip
METRICS: dict[str, Any] = {"metrics": {"accuracy": 0.5}, "per_class": {}, "confusion": []}
CALIBRATION = {
    "ece": 0.18,
    "bins": [{"low": 0.0, "high": 0.1, "count": 2, "confidence": 0.05, "accuracy": 0.5}],
}
ROUGH = "scores are rough: calibration error above 0.1"


def loops_of(bench: Bench, name: str = "digits") -> list[dict[str, Any]]:
    loops: list[dict[str, Any]] = bench.run(lambda tx: read_document(tx, name))["loops"]
    return loops


def run_first_loop(bench: Bench, *answers: dict[str, Any]) -> None:
    """Run loop 0; the next selection is made after it."""
    agent = bench.agent()
    bench.analysis.answers = list(answers)
    bench.create()
    agent.commit(agent.start())
    bench.settle()


def test_all_that_a_selection_tells_is_in_the_document(bench: Bench) -> None:
    run_first_loop(bench, CHANCE, BATCH, METRICS)
    first, second = loops_of(bench)
    assert second["selection"] == {
        **{key: BATCH[key] for key in BATCH if key != "indices"},
        "settings": second["selection"]["settings"],
    }
    assert first["selection"]["near_misses"] == []


def test_what_could_not_be_told_is_logged_and_the_batch_is_kept(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.agent()
    answer = {**CHANCE, "histogram": None, "untold": "histogram: ValueError: no such bin"}
    bench.analysis.answers = [answer]
    with caplog.at_level("WARNING", "alectio_agent"):
        bench.create()
    assert loops_of(bench)[0]["selected"] == [0, 1, 2, 3]
    assert "untold" not in loops_of(bench)[0]["selection"]
    assert "made, but not told: histogram: ValueError: no such bin" in caplog.text


def test_predicted_classes_belong_to_the_loop_whose_model_predicted_them(bench: Bench) -> None:
    """They were counted when the next batch was chosen."""
    run_first_loop(bench, CHANCE, BATCH, METRICS)
    first, second = loops_of(bench)
    assert first["class_counts"]["predicted"] == [9, 7]
    assert second["class_counts"]["predicted"] is None


def test_a_control_keeps_what_its_copied_batch_tells(bench: Bench) -> None:
    bench.agent()
    bench.analysis.answers = [CHANCE]
    bench.create(control="replay")
    (copied,) = loops_of(bench, "digits-control")
    (first,) = loops_of(bench)
    assert copied["selection"] == {
        **first["selection"],
        "settings": copied["selection"]["settings"],
    }


def test_selections_of_an_older_version_have_nothing_more_to_tell(bench: Bench) -> None:
    bench.agent()
    bench.create(control="replay")
    detail = {"scores": [None] * 4, "reasons": ["random"] * 4, "pool": 20, "equal_rows": 0}
    bench.run(lambda tx: tx.execute(update(selections).values(detail=dumps(detail))))
    (told,) = loops_of(bench)
    assert not TOLD.keys() & told["selection"].keys()
    assert told["class_counts"]["predicted"] is None


def test_a_batch_that_is_copied_from_an_older_selection_is_kept_without_more(bench: Bench) -> None:
    bench.agent()
    bench.create(control="replay")  # the stand-in answers as an older version did
    (copied,) = loops_of(bench, "digits-control")
    assert copied["selected"] == loops_of(bench)[0]["selected"]
    assert not TOLD.keys() & copied["selection"].keys()


def test_calibration_and_its_warning_are_kept(bench: Bench) -> None:
    judged = {**METRICS, "calibration": CALIBRATION, "warnings": [ROUGH]}
    run_first_loop(bench, CHANCE, BATCH, judged)
    first, second = loops_of(bench)
    assert (first["calibration"], first["warnings"]["metrics"]) == (CALIBRATION, [ROUGH])
    assert bench.loop(0).warnings == [f"metrics: {ROUGH}"]
    assert (second["calibration"], second["warnings"]) == (None, {})


def test_metrics_without_scores_or_of_an_older_version_have_no_calibration(bench: Bench) -> None:
    run_first_loop(bench, CHANCE, BATCH, METRICS)
    first, _ = loops_of(bench)
    assert first["calibration"] is None
    assert "metrics" not in first["warnings"]
    assert bench.loop(0).warnings == []


def test_the_kind_of_scores_is_told_when_metrics_are_asked_for(bench: Bench) -> None:
    agent = bench.agent()
    bench.create(output="probabilities")
    agent.commit(agent.start())
    bench.settle()
    (asked,) = [found for found in bench.analysis.requests if found["op"] == "metrics"]
    assert asked["output"] == "probabilities"


def test_metrics_of_a_control_are_asked_for_as_of_one_that_chooses_by_chance(bench: Bench) -> None:
    """That its scores are rough is nobody's concern."""
    agent = bench.agent()
    bench.create(control="replay")
    for _ in range(2):
        agent.commit(agent.start())
        bench.settle()
    bench.steer("cancel")
    agent.commit(agent.start())
    bench.settle()
    asked = [found for found in bench.analysis.requests if found["op"] == "metrics"]
    assert [found["chooses_by_scores"] for found in asked] == [True, True, False]
