"""What `experiment labels import` says of what happens now."""

from typing import Any

import pytest

from alectio_agent.wire.label_words import what_now
from alectio_agent.wire.labels import LabelsImported


def done(**changed: Any) -> LabelsImported:
    return LabelsImported.model_validate(
        {
            "state": "running", "new": 2, "corrected": 0, "unchanged": 0, "excluded": 0,
            "missing": 3, "asked": 5, "loop": 1, "started": False, "effective_loop": 1, **changed,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"started": True}, ["Loop 1 has its labels and runs next."]),
        ({"waits_for": "labels of 3 of 5 samples"}, ["It waits for labels of 3 of 5 samples."]),
        (
            {"started": True, "waits_for": "an agent that offers pipeline `toy`"},
            [
                "Loop 1 has its labels and runs next.",
                "It waits for an agent that offers pipeline `toy`. Go on: alectio-agent run",
            ],
        ),
        (
            {"unasked": 1},
            ["1 row of samples whose loop was rewound: kept until these are chosen again."],
        ),
        ({"corrected": 1}, ["Corrections take effect in loop 1."]),
        (
            {"effective_loop": 2},
            [
                "Loop 1 has its labels already: what is new takes effect in loop 2. Loop 1 again "
                "with it: alectio-agent experiment rewind toy"
            ],
        ),
        ({"state": "paused"}, ["It is paused. Go on: alectio-agent experiment resume toy"]),
        ({"new": 0, "unchanged": 2, "effective_loop": None}, []),
        ({"new": 0}, ["No label is filled in: 4 rows without."]),
    ],
)
def test_it_is_said_what_happens_now(changed: dict[str, Any], told: list[str]) -> None:
    assert what_now("toy", done(**changed), 4) == told


def test_labels_that_no_loop_takes_are_told_with_the_ways_to_use_them() -> None:
    (told,) = what_now("toy", done(effective_loop=None), 0)
    assert "no loop comes after it" in told
    assert "experiment rewind toy" in told
    assert "experiment extend toy --loops N" in told
