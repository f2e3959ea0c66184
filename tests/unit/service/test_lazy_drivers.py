"""Threads that begin with their first work."""

from threading import Event
from typing import Any

import pytest

from alectio_agent.agent.service.threads import Driver, LazyDrivers
from alectio_agent.core.clock import SystemClock


class Loop:
    """A step object that tells when it turns."""

    def __init__(self) -> None:
        self.wake, self.turned = Event(), Event()

    def step(self) -> float:
        self.turned.set()
        return 3600.0


class Bench:
    """Drivers that remember whom they were made for."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.drivers: list[Driver] = []
        self.lazy = LazyDrivers(self.make)

    def make(self, loop: Any) -> Driver:
        self.made.append(loop)
        driver = Driver("parts", loop, SystemClock(), self.lazy.closed.is_set, pytest.fail)
        self.drivers.append(driver)
        return driver


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.lazy.close()
    assert all(driver.over.wait(10) for driver in made.drivers)


def test_no_thread_runs_before_the_first_work(bench: Bench) -> None:
    loop = Loop()
    assert bench.made == []
    bench.lazy.call(loop)
    assert loop.turned.wait(10)


def test_a_second_call_wakes_the_same_thread(bench: Bench) -> None:
    loop = Loop()
    bench.lazy.call(loop)
    assert loop.turned.wait(10)
    loop.turned.clear()
    bench.lazy.call(loop)
    assert loop.turned.wait(10)
    assert bench.made == [loop]


def test_after_the_end_no_thread_begins(bench: Bench) -> None:
    bench.lazy.close()
    bench.lazy.call(Loop())
    assert bench.made == []
