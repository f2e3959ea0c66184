"""What a benchmark makes of its passes, so that a hundredth can be seen in them."""

import pytest

from benchmarks.watched import Pass, error_of, figures

PLAIN = [Pass(20.0, 10.0, 0.0), Pass(40.0, 20.0, 0.0), Pass(30.0, 10.0, None)]
WATCHED = [Pass(20.2, 10.2, 0.002), Pass(40.4, 20.0, 0.004), Pass(30.3, 10.1, None)]


def test_a_pass_is_compared_with_the_one_beside_it() -> None:
    """The machine is slower in one pair than in another: medians of all would show that instead."""
    found = figures(WATCHED, PLAIN)
    assert found[1].values == pytest.approx((1.01, 1.01, 1.01))
    assert found[4].values == pytest.approx((1.02, 1.0, 1.01))


def test_pairs_that_cannot_show_a_hundredth_have_no_target_to_miss() -> None:
    time, processor = (figures(WATCHED, PLAIN)[number] for number in (1, 4))
    assert time.most == 1.01
    assert processor.most is None


def test_the_standard_error_tells_what_the_pairs_can_show() -> None:
    assert error_of((1.0, 1.0)) == 0
    assert error_of((1.0, 1.02, 0.98, 1.0)) == pytest.approx(1.25 * 0.01633 / 2, abs=1e-5)
    assert error_of((1.0,)) == 0


def test_what_is_always_counted_is_added_to_what_a_second_costs() -> None:
    seconds, counted, both = figures(WATCHED, PLAIN)[-3:]
    assert seconds.values == pytest.approx((0.2, 0.4))
    assert both.value == pytest.approx(seconds.value + counted.value)
    assert both.most == 1
