"""A loop that waits in peace is told from one that hangs in a turn."""

import pytest

from alectio_agent.agent.service.pulse import LATE_S, LONGEST_TURN_S, Pulse
from tests.support.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_turn_is_late_when_it_takes_longer_than_the_longest(clock: FakeClock) -> None:
    pulse = Pulse(clock)
    pulse.turn()
    clock.advance(LONGEST_TURN_S)
    assert not pulse.is_late
    clock.advance(1)
    assert pulse.is_late


def test_a_wait_of_an_hour_is_as_good_as_work(clock: FakeClock) -> None:
    pulse = Pulse(clock)
    pulse.wait(3600)
    clock.advance(3600)
    assert not pulse.is_late


def test_a_wait_that_does_not_end_is_late(clock: FakeClock) -> None:
    pulse = Pulse(clock)
    pulse.wait(3600)
    clock.advance(3600 + LATE_S + 1)
    assert pulse.is_late


def test_each_turn_begins_anew(clock: FakeClock) -> None:
    pulse = Pulse(clock)
    pulse.turn()
    clock.advance(LONGEST_TURN_S + 1)
    pulse.turn()
    assert not pulse.is_late


def test_nothing_is_expected_before_the_first_turn_and_after_the_end(clock: FakeClock) -> None:
    pulse = Pulse(clock)
    clock.advance(1e6)
    assert not pulse.is_late
    pulse.turn()
    pulse.end()
    clock.advance(1e6)
    assert not pulse.is_late
