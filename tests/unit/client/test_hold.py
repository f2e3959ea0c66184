"""How long polls are held, as it is learnt from what happens to them."""

import random

import pytest

from alectio_agent.agent.client.hold import MOST_PATIENCE, Hold
from alectio_agent.core.errors import PlatformUnavailableError

CUT = PlatformUnavailableError("closed", silence="cut")


class Line:
    """A proxy that cuts every request after some seconds, and a platform that holds polls."""

    def __init__(self, cuts_after_s: float) -> None:
        self.cuts_after_s = cuts_after_s
        self.hold = Hold(20)
        self.asked: list[float] = []

    def poll(self, times: int) -> list[float]:
        """Poll so often; what the platform was asked to hold."""
        for _ in range(times):
            wait_s = self.hold.wait_s
            self.asked.append(wait_s)
            if wait_s * 0.9 > self.cuts_after_s:
                self.hold.failed(CUT, self.cuts_after_s)
            else:
                self.hold.answered(wait_s * 0.9)
        return self.asked[-times:]


def test_it_starts_with_what_the_platform_wants() -> None:
    assert Hold(20).wait_s == 20


def test_two_cuts_in_a_row_halve_it() -> None:
    assert Line(6).poll(7) == [20, 20, 10, 10, 5, 5, 5]


def test_one_cut_is_a_restart_of_the_platform() -> None:
    hold = Hold(20)
    for _ in range(10):
        hold.failed(CUT, 6)
        for _ in range(8):
            hold.answered(17)
    assert hold.wait_s == 20


def test_a_limit_that_cuts_only_some_polls_is_learnt_too() -> None:
    """Holds end at random: one of 5 s lasts 4 or 5, and a proxy cuts what is silent for 4.5."""
    hold = Hold(5)
    hold.failed(CUT, 4.5)
    hold.answered(4)
    hold.failed(CUT, 4.5)
    assert hold.wait_s == 2.5


def test_a_longer_wait_that_is_cut_later_is_tried_more_seldom_too() -> None:
    hold, polls = Hold(5), []
    for _ in range(4):
        hold.failed(CUT, 4.5)
        hold.failed(CUT, 4.5)
        count = 0
        while hold.wait_s < 5:
            hold.answered(2)
            count += 1
        polls.append(count)
        hold.answered(4)
    assert polls == [8, 16, 32, 64]


def test_cuts_are_news_until_the_line_is_known() -> None:
    hold = Hold(20)
    assert [hold.failed(CUT, 6) for _ in range(4)] == [False, False, True, True]


def test_it_never_falls_below_a_second() -> None:
    hold = Hold(20)
    for _ in range(100):
        hold.failed(CUT, 1.5)
    assert hold.wait_s == 1


def test_it_grows_again_after_eight_polls_that_were_held() -> None:
    line = Line(6)
    line.poll(4)
    line.cuts_after_s = 100
    assert line.poll(18) == [5] * 8 + [10] * 8 + [20] * 2


def test_a_longer_wait_that_is_cut_is_taken_back_at_once_and_tried_ever_more_seldom() -> None:
    """A proxy with a fixed limit would otherwise cut two polls of ten for ever."""
    line = Line(6)
    line.poll(4)
    assert line.poll(9) == [5] * 8 + [10]
    assert line.poll(17) == [5] * 16 + [10]
    line.poll(20_000)
    cuts = [wait_s for wait_s in line.poll(MOST_PATIENCE * 4) if wait_s > 6]
    assert len(cuts) <= 4


@pytest.mark.parametrize(
    "error",
    [
        PlatformUnavailableError("closed", silence="cut"),
        PlatformUnavailableError("nothing came", silence="late"),
        PlatformUnavailableError("bad gateway", silence="foreign", status=502),
        PlatformUnavailableError("gateway timeout", silence="foreign", status=504),
    ],
)
def test_these_are_cuts(error: PlatformUnavailableError) -> None:
    hold = Hold(20)
    for _ in range(2):
        hold.failed(error, 10)
    assert hold.wait_s == 10


@pytest.mark.parametrize(
    ("error", "passed_s"),
    [
        (PlatformUnavailableError("refused", silence="unreachable"), 10),
        (PlatformUnavailableError("stopped", silence="interrupted"), 10),
        (PlatformUnavailableError("a page", silence="foreign", status=403), 10),
        (PlatformUnavailableError("closed at once", silence="cut"), 0.2),
        (PlatformUnavailableError("no backend", silence="foreign", status=502), 0.2),
    ],
)
def test_these_tell_nothing_about_the_hold(
    error: PlatformUnavailableError, passed_s: float
) -> None:
    hold = Hold(20)
    for _ in range(5):
        hold.failed(error, passed_s)
    assert hold.wait_s == 20


def test_quick_answers_do_not_make_it_grow() -> None:
    line = Line(6)
    line.poll(4)
    for _ in range(100):
        line.hold.answered(0.1)
    assert line.hold.wait_s == 5


def test_the_platform_may_want_another_wait_later() -> None:
    hold = Hold(20)
    hold.ask(60)
    assert hold.wait_s == 60
    hold.failed(CUT, 30)
    hold.failed(CUT, 30)
    hold.ask(90)
    assert hold.wait_s == 30
    hold.ask(10)
    assert hold.wait_s == 10


def test_a_poll_that_was_held_is_followed_at_once() -> None:
    assert Hold(20).pause_s(random.Random(1), 15, None) == 0


def test_polls_of_a_second_count_as_held_too() -> None:
    hold = Hold(1)
    assert hold.was_held(0.8)
    assert not hold.was_held(0.1)


def test_a_platform_that_cannot_hold_is_polled_with_full_jitter_over_five_seconds() -> None:
    rng = random.Random(2)
    waits = [Hold(20).pause_s(rng, 0.1, None) for _ in range(300)]
    assert 0 <= min(waits) < 0.1
    assert 4.9 < max(waits) <= 5


@pytest.mark.parametrize(
    ("asked_s", "least", "most"), [(0, 0, 5), (1, 1, 2), (15, 15, 16.5), (300, 300, 330)]
)
def test_what_an_empty_answer_asks_is_kept_to(asked_s: float, least: float, most: float) -> None:
    rng = random.Random(3)
    waits = [Hold(20).pause_s(rng, 0.1, asked_s) for _ in range(100)]
    assert least <= min(waits)
    assert max(waits) <= most
    assert len(set(waits)) == 100
