"""Requests as the platform sends them, and the answers it gets."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alectio_agent.analysis import answering
from alectio_agent.analysis.answering import Answerer
from alectio_agent.analysis.worker import serve
from alectio_agent.core.errors import ScoresError, StrategyError
from tests.support.analysis import npz_part, random_logits

RANDOM = [{"name": "random", "share": 1}]
MARGIN = [{"name": "margin"}]


def select(strategy: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    request = {"op": "select", "seed": 0, "loop": 2, "batch": 4, "strategy": strategy, **fields}
    return Answerer().answer(json.dumps(request))


def inline(rows: list) -> dict[str, Any]:
    return {"media_type": "application/json", "parts": [], "inline": {"rows": rows}}


def scored(n: int) -> dict[str, Any]:
    return inline([[at, row] for at, row in enumerate(random_logits(n, 3).tolist())])


def metrics(rows: list, **fields: Any) -> dict[str, Any]:
    request = {"op": "metrics", "task": "classification", "result": inline(rows), **fields}
    return Answerer().answer(json.dumps(request))


def test_the_first_batch_is_drawn_from_the_pool_less_what_is_labelled() -> None:
    found = select(RANDOM, pool=6, labeled=[1, 4])
    assert found == {
        "indices": [0, 2, 3, 5],
        "scores": [None] * 4,
        "reasons": ["random"] * 4,
        "between": [None] * 4,
        "pool": 4,
        "equal_rows": 0,
        "predicted": None,
        "histogram": None,
        "near_misses": [],
    }


def test_the_first_batch_is_drawn_from_a_list() -> None:
    assert set(select(RANDOM, unlabeled=[5, 6, 7, 8, 9, 10])["indices"]) < set(range(5, 11))


def test_a_result_tells_what_there_is_to_choose_from() -> None:
    found = select(MARGIN, result=scored(30), output="logits", classes=3)
    assert found["pool"] == 30
    assert found["indices"] == sorted(found["indices"])
    assert found["reasons"] == ["margin"] * 4
    assert all(0 <= score <= 1 for score in found["scores"])


def test_a_selection_tells_what_its_scores_were_like() -> None:
    rows = [[3, [2.0, 2.0, 0.0]], [4, [9.0, 0.0, 1.0]], [5, [0.0, 1.0, 1.5]], [6, [0.0, 0.0, 9.0]]]
    found = json.loads(json.dumps(select(MARGIN, result=inline(rows), batch=1)))
    assert (found["indices"], found["between"]) == ([3], [[0, 1]])
    assert found["predicted"] == [2, 0, 2]
    assert sum(found["histogram"]["counts"]) == 4
    assert found["histogram"]["cut"] == found["scores"][0]
    # Probabilities of sample 5: 0.122, 0.331, 0.547; one minus the gap between the last two.
    assert found["near_misses"][0] == {
        "index": 5,
        "score": pytest.approx(0.785, abs=0.001),
        "between": [2, 1],
    }
    assert [missed["index"] for missed in found["near_misses"]] == [5, 4, 6]


def test_what_chance_picks_lies_between_classes_too() -> None:
    mix = [{"name": "margin", "share": 0.5}, {"name": "random", "share": 0.5}]
    found = select(mix, result=scored(30))
    assert None in found["scores"]
    assert None not in found["between"]


def test_no_rows_to_choose_from_have_nothing_to_tell() -> None:
    found = select(MARGIN, result=scored(3), labeled=[0, 1, 2])
    assert (found["indices"], found["predicted"], found["histogram"]) == ([], None, None)


def test_no_labelled_sample_is_chosen_though_it_has_a_row() -> None:
    all_but_two = [at for at in range(30) if at not in (7, 21)]
    found = select(MARGIN, result=scored(30), labeled=all_but_two)
    assert (found["indices"], found["pool"]) == ([7, 21], 2)


def test_only_unlabelled_samples_of_a_result_count() -> None:
    assert select(MARGIN, result=scored(30), unlabeled=[3, 9, 40])["indices"] == [3, 9]


def test_random_needs_no_rows_that_it_understands() -> None:
    rows = [[at, {"boxes": [], "scores": []}] for at in range(9)]
    assert len(select(RANDOM, result=inline(rows))["indices"]) == 4


def test_parts_are_read_from_disk(tmp_path: Path) -> None:
    logits = random_logits(40, 3)
    parts = [
        npz_part(tmp_path / "1.npz", index=np.arange(25), logits=logits[:25]),
        npz_part(tmp_path / "2.npz", index=np.arange(25, 40), logits=logits[25:]),
    ]
    result = {"media_type": "application/x-npz", "parts": [str(part) for part in parts]}
    rows = [[at, row] for at, row in enumerate(logits.tolist())]
    assert select(MARGIN, result=result) == select(MARGIN, result=inline(rows))


def test_tie_break_dedup_and_subsample_are_heeded() -> None:
    flat = inline([[at, [1.0, 1.0]] for at in range(50)])
    assert select(MARGIN, result=flat, tie_break="index")["indices"] == [0, 1, 2, 3]
    assert select(MARGIN, result=flat, dedup=None)["equal_rows"] == 0
    assert select(MARGIN, result=flat)["equal_rows"] == 46
    everything = select(MARGIN, result=scored(50), batch=4)["indices"]
    assert select(MARGIN, result=scored(50), batch=4, subsample=4)["indices"] != everything


def test_the_answer_is_the_same_again() -> None:
    mix = [{"name": "diverse_margin", "share": 0.75}, {"name": "random", "share": 0.25}]
    assert select(mix, result=scored(80)) == select(mix, result=scored(80))


def test_a_request_without_any_pool_is_refused() -> None:
    with pytest.raises(StrategyError, match="found no pool"):
        select(RANDOM)
    with pytest.raises(ScoresError, match="no scores yet"):
        select(MARGIN, pool=10)


def test_metrics_come_with_classes_and_confusion() -> None:
    found = metrics([[0, [1, 1]], [1, [0, 1]]], classes=3)
    assert found["metrics"]["accuracy"] == 0.5
    assert found["confusion"] == [[0, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert found["per_class"]["support"] == [0, 2, 0]


def test_class_names_are_understood() -> None:
    rows = [[0, ["cat", "cat"]], [1, ["dog", "cat"]]]
    found = metrics(rows, classes=2, class_names=["cat", "dog"])
    assert found["confusion"] == [[1, 1], [0, 0]]


def test_other_tasks_have_no_metrics_yet() -> None:
    found = metrics([[0, [1.5, 2.5]]], task="regression", classes=None)
    assert found == {
        "metrics": {},
        "per_class": {},
        "confusion": [],
        "calibration": None,
        "warnings": [],
    }


def test_without_scores_of_test_there_is_no_calibration() -> None:
    found = metrics([[0, [1, 1]], [1, [0, 1]]], classes=2)
    assert (found["calibration"], found["warnings"]) == (None, [])


def test_scores_of_test_are_calibrated() -> None:
    rows = [[0, [1, 1, [0.05, 0.95]]], [1, [0, 0, [0.99, 0.01]]]]
    found = metrics(rows, classes=2, output="probabilities")
    assert found["calibration"]["ece"] == pytest.approx(0.03)
    assert found["calibration"]["bins"][9]["count"] == 2
    assert found["warnings"] == []
    assert found["metrics"]["accuracy"] == 1.0


def test_a_large_calibration_error_is_said() -> None:
    rows = [[0, [1, 1, [0.38, 0.62]]], [1, [0, 0, [0.98, 0.02]]]]
    found = metrics(rows, classes=2, output="probabilities")
    assert found["calibration"]["ece"] == pytest.approx(0.2)
    (warning,) = found["warnings"]
    assert warning.startswith("scores are rough: calibration error above 0.1")


def test_rough_scores_that_choose_nothing_are_no_warning() -> None:
    """A control chooses by chance."""
    rows = [[0, [1, 1, [0.38, 0.62]]], [1, [0, 0, [0.98, 0.02]]]]
    found = metrics(rows, classes=2, output="probabilities", chooses_by_scores=False)
    assert found["calibration"]["ece"] == pytest.approx(0.2)
    assert found["warnings"] == []


def test_an_error_of_a_tenth_is_not_said_yet() -> None:
    found = metrics([[0, [1, 1, [0.09375, 0.90625]]]], classes=2, output="probabilities")
    assert found["calibration"]["ece"] == 0.09375
    assert found["warnings"] == []


@pytest.mark.parametrize(
    ("row", "said"),
    [([0.2, 0.3, 0.5], "rows have 3 scores"), ([2.0, 1.0], "are no probabilities")],
)
def test_scores_that_cannot_be_read_cost_no_metrics(row: list[float], said: str) -> None:
    found = metrics([[0, [1, 1, row]]], classes=2, output="probabilities")
    assert (found["metrics"]["accuracy"], found["calibration"]) == (1.0, None)
    (warning,) = found["warnings"]
    assert warning.startswith("calibration is not known: `outputs` of test: ")
    assert said in warning


def test_the_worker_answers_line_by_line_and_lives_on() -> None:
    lines = [
        b"no json\n",
        b'{"op": "dance"}\n',
        b'{"op": "select", "seed": 0, "loop": 0, "batch": 2, "strategy": [{"name": "margin"}]}\n',
        b'{"op": "select", "seed": 0, "loop": 0, "batch": 2, "strategy": [{"name": "random"}],'
        b' "pool": 2}\n',
    ]
    written = io.BytesIO()
    serve(io.BytesIO(b"".join(lines)), written)
    answers = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [entry.get("kind") for entry in answers] == [
        "ValidationError",
        "ValidationError",
        "StrategyError",
        None,
    ]
    assert "dance" in answers[1]["error"]
    assert answers[3]["indices"] == [0, 1]


def test_scores_that_hardly_differ_are_chosen_from() -> None:
    """Logits of 48 and more against -48: all scores lie within 1e-37."""
    rows = [[at, [48.0 + at / 99, -48.0]] for at in range(30)]
    found = select([{"name": "entropy"}], result=inline(rows), output="logits", classes=2)
    assert found["indices"] == [0, 1, 2, 3]
    assert sum(found["histogram"]["counts"]) == 30
    assert "untold" not in found


@pytest.mark.parametrize("name", ["histogram", "near_misses"])
def test_what_cannot_be_told_costs_no_selection(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fields = {"result": scored(30), "output": "logits", "classes": 3}
    whole = select(MARGIN, **fields)

    def fail(*_: object) -> None:
        raise ValueError("no such bin")

    monkeypatch.setattr(answering, name, fail)
    found = select(MARGIN, **fields)
    assert found.pop("untold") == f"{name}: ValueError: no such bin"
    assert found == {**whole, name: None}
