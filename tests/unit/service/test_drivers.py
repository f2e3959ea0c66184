"""Each turn and each wait of a thread has its time, which others can look at."""

from collections.abc import Callable
from threading import Event

import pytest

from alectio_agent.agent.service.pulse import LATE_S, LONGEST_TURN_S
from alectio_agent.agent.service.threads import Driver
from tests.support.clocks import FakeClock


class Watching(FakeClock):
    """Lets each wait take longer than it was meant to, and looks."""

    def __init__(self, late_s: float) -> None:
        super().__init__()
        self._more_s = late_s
        self.look: Callable[[], bool] = bool
        self.was_late: list[bool] = []

    def wait(self, event: Event, seconds: float) -> bool:
        self.advance(seconds + self._more_s)
        self.was_late.append(self.look())
        return False


class Loop:
    """Two turns that take a while, and are followed by an hour of waiting."""

    def __init__(self, clock: Watching, takes_s: float) -> None:
        self.wake = Event()
        self._clock, self._takes_s = clock, takes_s
        self.was_late: list[bool] = []

    def step(self) -> float:
        self._clock.advance(self._takes_s)
        self.was_late.append(self._clock.look())
        return 3600.0


@pytest.mark.parametrize(
    ("takes_s", "turns_late", "more_s", "waits_late"),
    [
        (0.0, False, 0.0, False),
        (LONGEST_TURN_S, False, LATE_S, False),
        (LONGEST_TURN_S + 1, True, 0.0, False),
        (0.0, False, LATE_S + 1, True),
    ],
)
def test_a_turn_and_a_wait_are_late_when_they_take_longer_than_they_may(
    takes_s: float, turns_late: bool, more_s: float, waits_late: bool
) -> None:
    clock = Watching(more_s)
    loop = Loop(clock, takes_s)
    driver = Driver(
        "poll", loop, clock, lambda: len(loop.was_late) == 2, pytest.fail,
        spawn=lambda _name, run: run(),
    )  # fmt: skip
    clock.look = lambda: driver.pulse.is_late
    driver.start()
    assert loop.was_late == [turns_late] * 2
    assert clock.was_late == [waits_late] * 2
    clock.advance(1e6)
    assert not driver.pulse.is_late  # it is over
