"""Labels that the same score took with and without a strategy; worked out by hand."""

from typing import Any

import pytest

from alectio_agent.report.reading import Point
from alectio_agent.report.savings import Reach, find_savings, reach


def curve(*points: tuple[int, float]) -> list[Point]:
    return [Point(labels, value, loop) for loop, (labels, value) in enumerate(points)]


def experiment(*points: tuple[int, float], metric: str = "accuracy") -> dict[str, Any]:
    return {
        "name": "toy",
        "loops": [
            {"loop": loop, "labels": labels, "metrics": {metric: value}}
            for loop, (labels, value) in enumerate(points)
        ],
    }


class TestReach:
    def test_between_two_loops_the_curve_is_a_straight_line(self) -> None:
        # A third of the way from 0.6 to 0.9 is a third of the way from 100 to 190.
        assert reach(curve((100, 0.6), (190, 0.9)), 0.7) == 130

    def test_a_part_of_a_label_counts_as_one(self) -> None:
        assert reach(curve((0, 0.0), (10, 0.3)), 0.1) == 4  # 3.33

    def test_a_score_that_a_loop_has_exactly_is_reached_there(self) -> None:
        assert reach(curve((100, 0.6), (200, 0.8), (300, 0.9)), 0.8) == 200

    def test_the_first_time_counts_though_the_curve_falls_again(self) -> None:
        assert reach(curve((10, 0.2), (20, 0.8), (30, 0.5), (40, 0.9)), 0.8) == 20

    def test_a_score_of_the_first_loop_needs_that_loops_labels(self) -> None:
        assert reach(curve((10, 0.5), (20, 0.9)), 0.3) == 10

    def test_what_no_loop_has_is_not_reached(self) -> None:
        assert reach(curve((10, 0.5), (20, 0.9)), 0.91) is None
        assert reach([], 0.1) is None


def test_both_last_scores_are_compared_and_the_lower_one_is_shared() -> None:
    ours = experiment((100, 0.5), (200, 0.7), (300, 0.9))
    control = experiment((100, 0.5), (300, 0.6), (500, 0.8))
    (found,) = find_savings(ours, control).found
    assert found.of_control == Reach(0.8, ours=250, control=500)
    assert found.of_control.saved == 250
    assert found.of_ours == Reach(0.9, ours=300, control=None)
    assert found.shared is found.of_control
    assert found.least(found.of_ours) == "more than 200"


def test_a_control_that_was_better_gives_a_negative_saving() -> None:
    ours = experiment((100, 0.5), (200, 0.6), (300, 0.7))
    control = experiment((100, 0.5), (200, 0.7), (300, 0.9))
    (found,) = find_savings(ours, control).found
    assert found.shared is found.of_ours
    assert found.shared.saved == -100


def test_a_score_that_we_have_not_reached_says_nothing_of_a_saving() -> None:
    ours, control = experiment((10, 0.5), (20, 0.6)), experiment((10, 0.5), (20, 0.8))
    (found,) = find_savings(ours, control).found
    assert found.of_control.saved is None
    assert found.least(found.of_control) == "cannot be known yet"
    (found,) = find_savings(ours | {"state": "finished"}, control | {"state": "finished"}).found
    assert found.least(found.of_control) == "cannot be known"


@pytest.mark.parametrize(
    ("control", "why"),
    [
        (None, "there is no control"),
        ({"name": "toy-control", "loops": []}, "no loop of both"),
        (experiment((10, 0.5)), "fewer than two loops"),
        (experiment((10, 0.5), (20, 0.6), metric="macro_f1"), "no loop of both"),
        (experiment((10, float("nan")), (20, float("nan"))), "no loop of both"),
    ],
)
def test_without_a_control_that_ran_nothing_can_be_known(
    control: dict[str, Any] | None, why: str
) -> None:
    found = find_savings(experiment((10, 0.5), (20, 0.6)), control)
    assert not found.found
    assert why in found.why
