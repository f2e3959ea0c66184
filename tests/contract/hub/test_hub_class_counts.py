"""How the labelled samples are divided among the classes, from what `train` sent."""

from typing import Any

import pytest

from alectio_agent.hub.experiments.results_document import read_document
from tests.support.benches import Bench


def told(bench: Bench, inline: dict[str, Any] | None, **settings: Any) -> dict[str, Any]:
    """What the document says of loop 0, whose train sent this."""
    agent = bench.agent()
    bench.create(**settings)
    agent.commit(agent.start(), "train", inline=inline)
    loop: dict[str, Any] = bench.run(lambda tx: read_document(tx, "digits"))["loops"][0]
    return loop


def counts(bench: Bench, inline: dict[str, Any] | None, **settings: Any) -> list[int] | None:
    found: list[int] | None = told(bench, inline, **settings)["class_counts"]["labelled"]
    return found


@pytest.mark.parametrize(
    "labels",
    [{"0": 1, "1": 0, "2": 1, "3": 1}, [1, 0, 1, 1], [1.0, False, True, 1]],
    ids=["by index", "in the order of labeled", "floats and bools"],
)
def test_labels_are_counted(bench: Bench, labels: Any) -> None:
    assert counts(bench, {"labels": labels}) == [1, 3]


def test_names_of_classes_are_counted(bench: Bench) -> None:
    labels = {"0": "cat", "1": "dog", "2": 1, "3": "cow"}
    assert counts(bench, {"labels": labels}, classes=["cat", "dog"]) == [1, 2]


def test_counts_that_were_sent_are_taken(bench: Bench) -> None:
    loop = told(bench, {"label_counts": {"1": 70_000}})
    assert loop["class_counts"]["labelled"] == [0, 70_000]
    assert loop["batch_labels"] is None, "which sample has which is not known"


@pytest.mark.parametrize(
    "inline",
    [None, {}, {"labels": None}, {"labels": [1]}, {"labels": "1101"}, {"label_counts": [1, 3]}],
)
def test_nothing_is_counted_when_nothing_is_known(bench: Bench, inline: Any) -> None:
    """Labels stay at home unless the hub is on the same machine."""
    assert counts(bench, inline) is None


def test_counts_that_are_no_numbers_or_no_classes_count_for_nothing(bench: Bench) -> None:
    assert counts(bench, {"label_counts": {"0": "many", "1": 2, "9": 4}}) == [0, 2]


def test_labels_of_the_batch_stand_beside_its_samples(bench: Bench) -> None:
    assert told(bench, {"labels": {"0": 1, "1": 0, "3": 1}})["batch_labels"] == [1, 0, None, 1]
