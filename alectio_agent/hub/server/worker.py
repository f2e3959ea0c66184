"""Threads that turn the hub's step objects, and go on after a crash."""

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreError
from alectio_agent.hub.store.complaints import Complaints

log = logging.getLogger(__name__)

CRASH_PAUSE_S = 5.0
FULL_PAUSE_S = 1.0
"""Room on a disk comes back without a word, and selections are waited for."""


class StepObject(Protocol):
    """One turn at a time; `wake` cuts the wait between turns."""

    @property
    def wake(self) -> Event:
        """Set when there may be something to do."""

    def step(self) -> float:
        """Do one turn; seconds to wait before the next."""


class Worker:
    """One thread that turns one step object until it is told to stop."""

    def __init__(self, name: str, loop: StepObject, clock: Clock) -> None:
        """Prepare the thread.

        Args:
            name: Of the thread, for logs.
            loop: What to turn.
            clock: Waits between turns.
        """
        self._name = name
        self._loop = loop
        self._clock = clock
        self._stopping = Event()
        self._complaints = Complaints(log, clock)
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start turning."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the turn at hand, then end; returns at once."""
        self._stopping.set()
        self._loop.wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end.

        Args:
            seconds: Longest wait.

        Returns:
            Whether it has ended.
        """
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def wait_for_end(self) -> None:
        """Wait as long as the turn at hand takes."""
        self._thread.join()

    def _run(self) -> None:
        while not self.is_stopping:
            wait_s = guarded(self._name, self._loop.step, self._complaints)
            self._clock.wait(self._loop.wake, wait_s)
            if not self.is_stopping:
                self._loop.wake.clear()


def guarded(name: str, step: Callable[[], float], complaints: Complaints) -> float:
    """Do one turn; a crash is logged, and the next turn comes after a pause.

    Args:
        name: For the log.
        step: The turn.
        complaints: Told when the disk refuses, and when it does so no more.

    Returns:
        Seconds to wait before the next.
    """
    try:
        wait_s = step()
    except StoreError as error:
        complaints.note(name, error)
        return FULL_PAUSE_S
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        log.exception("%s: %s; trying again in %g s", name, what, CRASH_PAUSE_S)
        return CRASH_PAUSE_S
    complaints.over()
    return wait_s
