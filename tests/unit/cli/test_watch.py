"""What `run` tells while it watches an experiment."""

import logging
from typing import Any

import pytest

from alectio_agent.cli.watch import Watcher
from alectio_agent.wire.operation import ExperimentView, LoopView


class FakeOperator:
    """Shows one view after the other."""

    def __init__(self, *views: ExperimentView) -> None:
        self.views = list(views)

    def experiment(self, name: str, **_: Any) -> ExperimentView:
        return self.views.pop(0)


def view(version: int, *done: int, state: str = "running") -> ExperimentView:
    loops = [
        {"loop": n, "state": "done", "labels": 5 * (n + 1), "chosen_by": "random",
         "metrics": {"accuracy": 0.5}}
        for n in done
    ]  # fmt: skip
    return ExperimentView.model_validate(
        {
            "experiment_id": "e", "name": "toy", "state": state, "pool": 60, "version": version,
            "settings": {"name": "toy", "classes": 3, "batch": 5, "loops": 4},
            "created_at": "2026", "loops": loops,
        }
    )  # fmt: skip


def told(caplog: pytest.LogCaptureFixture, *views: ExperimentView) -> list[str]:
    operator = FakeOperator(*views)
    watcher = Watcher(operator, "toy", None)  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO, logger="alectio_agent"):
        for _ in views:
            watcher.step()
    return caplog.messages


@pytest.fixture(autouse=True)
def _records(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("alectio_agent"), "propagate", True)


def test_each_loop_is_told_once_and_those_of_earlier_runs_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = told(caplog, view(1, 0), view(2, 0, 1), view(3, 0, 1))
    assert said == ["toy/1: 10 labels, accuracy 0.500"]


def test_a_loop_that_was_rewound_is_told_when_it_has_run_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = told(caplog, view(1), view(2, 0, 1), view(3, 0), view(4, 0, 1))
    assert said.count("toy/1: 10 labels, accuracy 0.500") == 2
    assert said.count("toy/0: 5 labels, accuracy 0.500") == 1


def waiting(version: int, waits_for: str) -> ExperimentView:
    return view(version).model_copy(update={"waits_for": waits_for})


def test_what_is_waited_for_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    said = told(caplog, view(1), waiting(2, "labels"), waiting(3, "labels"), view(4))
    assert said == ["toy waits for labels"]


def test_at_the_start_no_agent_has_called_yet_and_nobody_needs_to_know(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An agent that never fits is still told: the hub answers a held look with the same view."""
    agent = "an agent that offers pipeline `toy`"
    assert told(caplog, waiting(1, agent), view(2)) == []
    assert told(caplog, waiting(1, agent), waiting(1, agent)) == [f"toy waits for {agent}"]


def test_the_views_are_those_told_last(caplog: pytest.LogCaptureFixture) -> None:
    operator = FakeOperator(view(1), view(2, 0))
    watcher = Watcher(operator, "toy", None)  # type: ignore[arg-type]
    assert watcher.views == (None, None)
    watcher.step()
    watcher.step()
    assert watcher.views == (view(2, 0), None)


def test_a_pause_is_told_once_with_the_command_that_ends_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing would happen, and nobody would know why."""
    paused = view(2, state="paused")
    said = told(caplog, paused, paused, view(3), paused)
    wanted = "toy is paused. It goes on with: alectio-agent experiment resume toy"
    assert said == [wanted, wanted]


def asking(version: int, loop: int, returned: int, state: str = "running") -> ExperimentView:
    waits = {"loop": loop, "state": "labelling", "labels": 0, "chosen_by": "random", "asked": 5,
             "returned": returned}  # fmt: skip
    return view(version, state=state).model_copy(update={"loops": [LoopView.model_validate(waits)]})


def test_once_for_each_loop_it_says_how_to_label(caplog: pytest.LogCaptureFixture) -> None:
    said = told(caplog, asking(1, 0, 2), asking(2, 0, 4), view(3), asking(4, 1, 0))
    first, second = (
        f"In another terminal: alectio-agent experiment labels export toy --output {file}; fill "
        f"in the column label; alectio-agent experiment labels import toy {file}"
        for file in ("toy-loop-0.csv", "toy-loop-1.csv")
    )
    assert said == [
        f"`toy` waits for labels of 3 samples. {first}",
        f"`toy` waits for labels of 5 samples. {second}",
    ]


def events(*views: ExperimentView) -> list[tuple[str, dict[str, Any]]]:
    """What is passed on to who wants to know."""
    found: list[tuple[str, dict[str, Any]]] = []

    def tell(event: str, **facts: Any) -> None:
        found.append((event, facts))

    watcher = Watcher(FakeOperator(*views), "toy", None, tell)  # type: ignore[arg-type]
    for _ in views:
        watcher.step()
    return found


def test_who_has_to_label_is_told_once_for_each_loop() -> None:
    (event, said), (_, second) = events(asking(1, 0, 2), asking(2, 0, 4), view(3), asking(4, 1, 0))
    assert event == "waiting_for_labels"
    assert (said["experiment"], said["loop"], said["samples"]) == ("toy", 0, 3)
    assert "labels import toy toy-loop-0.csv" in said["message"]
    assert (second["loop"], second["samples"]) == (1, 5)


def test_an_experiment_that_is_through_is_told_once() -> None:
    over = view(2, 0, 1, state="finished")
    assert events(view(1, 0), over, over) == [
        ("finished", {"experiment": "toy", "loops": 2, "message": "toy finished"})
    ]


def test_an_experiment_that_a_person_has_cancelled_is_no_news() -> None:
    assert events(view(2, 0, state="cancelled")) == []


def test_waiting_for_labels_is_no_end(caplog: pytest.LogCaptureFixture) -> None:
    watcher = Watcher(FakeOperator(asking(1, 0, 2)), "toy", None)  # type: ignore[arg-type]
    watcher.step()
    assert watcher.outcome is None


def test_an_end_is_told_once_and_again_when_it_went_on_in_between(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Somebody who stays looks at it every 20 seconds."""
    over = view(2, state="finished")
    assert told(caplog, over, over, over) == ["toy finished"]
    caplog.clear()
    assert told(caplog, over, view(3), view(4, state="finished")) == ["toy finished"] * 2
