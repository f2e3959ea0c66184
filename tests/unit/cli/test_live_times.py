"""The arithmetic of what is left, with values worked out by hand."""

import pytest

from alectio_agent.agent.jobs.step_marks import Noted, StepMark, left_by_progress
from alectio_agent.cli.live.times import (
    History,
    experiment_left,
    step_left,
    steps_of,
)
from alectio_agent.wire.results import Progress
from tests.support.scenes import make_loop, make_view


def noted(done: float, total: float | None, at_s: float, first: tuple[float, float]) -> Noted:
    return Noted(Progress(done=done, total=total), at_s, *first)


def test_progress_counts_from_its_first_report_on() -> None:
    """From 1 at 100 s to 13 at 700 s are 12 in 600 s: 50 s each, and 7 are left."""
    assert left_by_progress(noted(13, 20, 700, (1, 100)), 0.0, 700) == 350


def test_what_is_left_goes_down_between_two_reports() -> None:
    assert left_by_progress(noted(13, 20, 700, (1, 100)), 0.0, 730) == 320
    assert left_by_progress(noted(13, 20, 700, (1, 100)), 0.0, 5000) == 0


def test_one_report_alone_tells_something_only_after_a_long_time() -> None:
    """Imports before the first epoch would count as part of it: 5 of 20 in 100 s leave 300 s."""
    assert left_by_progress(noted(5, 20, 100, (5, 100)), 0.0, 100) == 300
    assert left_by_progress(noted(1, 20, 3, (1, 3)), 0.0, 3) is None


@pytest.mark.parametrize(
    "said", [noted(3, None, 9, (1, 0)), noted(0, 20, 9, (0, 9)), noted(30, 20, 9, (1, 0)),
             noted(3, 0, 9, (1, 0))],
)  # fmt: skip
def test_a_count_that_does_not_say_how_far_it_is_tells_no_time(said: Noted) -> None:
    assert left_by_progress(said, None, 9) is None


def test_a_count_that_begins_again_in_each_epoch_tells_no_time() -> None:
    said = None
    for at_s, done in ((10, 1), (20, 9), (30, 2), (40, 5)):
        said = Noted.after(said, Progress(done=done, total=10), at_s)
    assert said is not None
    assert left_by_progress(said, 0.0, 40) is None


def test_training_grows_along_the_line_through_earlier_loops() -> None:
    """100 labels took 100 s, 200 took 150 s, 300 took 200 s: 400 take 250 s."""
    assert History.of(make_view()).expected("train", 400) == pytest.approx(250)


def test_one_loop_alone_does_not_make_training_grow() -> None:
    assert History.of(make_view([make_loop(0)])).expected("train", 4000) == 100


def test_a_line_that_falls_is_taken_as_level() -> None:
    """The first loop is often the slowest: the graphics card was cold. Mean of 300 and 100."""
    loops = [make_loop(0, seconds={"train": 300.0}), make_loop(1, seconds={"train": 100.0})]
    assert History.of(make_view(loops)).expected("train", 900) == 200


def test_infer_takes_as_long_for_each_sample_that_is_left() -> None:
    """115 s for 12,000 - 300 samples; at 6,150 labels half of them are left."""
    assert History.of(make_view()).expected("infer", 6150) == pytest.approx(57.5)


def test_a_step_without_progress_takes_as_long_as_expected() -> None:
    mark = StepMark("train", "running", 1000.0)
    assert step_left(mark, None, 250.0, 1100.0) == 150
    assert step_left(mark, None, 250.0, 1300.0) is None
    assert step_left(mark, None, None, 1100.0) is None


def test_the_end_adds_up_the_loop_in_hand_the_loops_to_come_and_what_lies_between() -> None:
    """Two of five loops are done, ten minutes apart; the second took 150 + 14 + 115 s of 600.

    Between them pass 321 s. In hand: train of 300 labels takes 200 s, runs since 50 s; test 14 s,
    infer 115 s for each 11,800 samples. To come: loops of 400 and 500 labels, train 250 and 300 s;
    nobody reads what the last model says of the pool, so that it has no infer.
    """
    running = {"loop": 2, "state": "running", "labels": 300, "chosen_by": "random"}
    settings = {"name": "chest-xray", "classes": 3, "batch": 100, "loops": 5}
    view = make_view([make_loop(0), make_loop(1), running], settings=settings)
    steps = (StepMark("train", "running", 1000.0), StepMark("test"), StepMark("infer"))
    infer = 115 / 11_800
    in_hand = 150 + 14 + infer * 11_700
    to_come = 2 * 321 + (250 + 14 + infer * 11_600) + (300 + 14)
    assert experiment_left(view, steps, None, 1050.0) == pytest.approx(in_hand + to_come)


def test_a_pool_that_ends_before_the_loops_do_ends_the_experiment() -> None:
    """310 samples: after 300 labels comes a loop of 10, then none. 100 -> 310 labels: 205 s."""
    view = make_view([make_loop(n) for n in range(3)], pool=310)
    left_s = experiment_left(view, (), None, 0.0)
    between_s = (321 + 271) / 2
    assert left_s == pytest.approx(between_s + 205 + 14)


def test_the_last_loop_and_a_control_are_asked_for_no_infer() -> None:
    """A step that never comes must not be waited for, nor be counted."""
    control = make_view(name="chest-xray-control", control_of="chest-xray")
    assert steps_of(make_view(), 8, 900) == ("train", "test", "infer")
    assert steps_of(make_view(), 9, 1000) == ("train", "test")
    assert steps_of(make_view(pool=900), 8, 900) == ("train", "test"), "nothing is left to choose"
    assert steps_of(control, 3, 400) == ("train", "test")


def test_one_loop_alone_tells_no_end() -> None:
    assert experiment_left(make_view([make_loop(0)]), (), None, 0.0) is None


def test_an_end_behind_thousands_of_loops_is_not_worked_out() -> None:
    settings = {"name": "chest-xray", "classes": 3, "batch": 1, "loops": 1_000_000}
    view = make_view([make_loop(0), make_loop(1)], settings=settings, pool=4_000_000)
    assert experiment_left(view, (), None, 0.0) is None
