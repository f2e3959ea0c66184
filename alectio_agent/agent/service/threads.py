"""Drives step objects, one thread each."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from alectio_agent.agent.service.pulse import Pulse
from alectio_agent.core.clock import Clock

log = logging.getLogger(__name__)


class StepObject(Protocol):
    """One turn at a time; `wake` cuts the wait between turns."""

    wake: threading.Event

    def step(self) -> float:
        """Do one turn; seconds to wait before the next."""


Spawn = Callable[[str, Callable[[], None]], None]
"""Runs a function beside all others, under a name."""


def spawn_thread(name: str, target: Callable[[], None]) -> None:
    """Run a function in a thread that the end of the process does not wait for.

    Args:
        name: Of the thread.
        target: What to run.
    """
    threading.Thread(target=target, name=name, daemon=True).start()


class Driver:
    """A thread that turns a step object until it is over."""

    def __init__(
        self,
        name: str,
        loop: StepObject,
        clock: Clock,
        is_over: Callable[[], bool],
        on_crash: Callable[[BaseException], None],
        on_end: Callable[[], None] | None = None,
        spawn: Spawn = spawn_thread,
    ) -> None:
        """Prepare the thread; `start` runs it.

        Args:
            name: Of the thread.
            loop: The step object.
            clock: Waits between turns.
            is_over: Asked before each turn.
            on_crash: Told about an exception that nobody handled.
            on_end: Called last, in the thread.
            spawn: Starts the thread; given so that a test can turn all loops in one.
        """
        self._loop = loop
        self._clock = clock
        self._is_over = is_over
        self._on_crash = on_crash
        self._on_end = on_end
        self.name = name
        self.over = threading.Event()
        self.pulse = Pulse(clock)
        self._spawn = spawn

    def start(self) -> None:
        """Start turning."""
        self._spawn(self.name, self._run)

    def wake(self) -> None:
        """Cut the wait before the next turn."""
        self._loop.wake.set()

    def _run(self) -> None:
        try:
            while not self._is_over():
                self.pulse.turn()
                wait_s = self._loop.step()
                self.pulse.wait(wait_s)
                self._clock.wait(self._loop.wake, wait_s)
                self._loop.wake.clear()
            if self._on_end is not None:
                self._on_end()
        except BaseException as error:  # noqa: BLE001 - the top of a thread: nobody else would see it
            self._on_crash(error)
        finally:
            self.pulse.end()
            self.over.set()


class LazyDrivers:
    """Drivers whose threads start with their first work: most agents never need them."""

    def __init__(self, make: Callable[[StepObject], Driver]) -> None:
        """Start without a thread.

        Args:
            make: Makes the driver of a step object; it is over when `closed` is set.
        """
        self._make = make
        self._lock = threading.Lock()
        self._drivers: dict[int, Driver] = {}
        self.closed = threading.Event()

    def call(self, loop: StepObject) -> None:
        """Wake a step object, in a thread of its own; from any thread.

        Args:
            loop: Has work.
        """
        with self._lock:
            if self.closed.is_set():
                return
            driver = self._drivers.get(id(loop))
            if driver is None:
                driver = self._drivers[id(loop)] = self._make(loop)
                driver.start()
        driver.wake()

    def close(self) -> None:
        """End all threads, each after the turn that it is in."""
        with self._lock:
            self.closed.set()
        for driver in self._drivers.values():
            driver.wake()
