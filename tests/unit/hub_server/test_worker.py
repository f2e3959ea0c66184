"""Threads of the hub outlive a crash of what they turn."""

import logging
from threading import Event

import pytest

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.server.worker import CRASH_PAUSE_S, FULL_PAUSE_S, Worker, guarded
from alectio_agent.hub.store.complaints import Complaints
from tests.support.clocks import FakeClock


class Counting:
    """Stops its worker at the third turn."""

    def __init__(self) -> None:
        self.wake = Event()
        self.turns = 0
        self.worker: Worker | None = None

    def step(self) -> float:
        self.turns += 1
        if self.turns == 3 and self.worker is not None:
            self.worker.stop()
        return 7.0


def test_a_worker_turns_until_it_is_stopped_and_waits_in_between() -> None:
    loop, clock = Counting(), FakeClock()
    loop.worker = Worker("counting", loop, clock)
    loop.worker.start()
    assert loop.worker.join(10)
    assert loop.turns == 3
    assert clock.waits == [7.0, 7.0, 7.0]


def test_a_crash_is_logged_once_and_followed_by_a_pause(caplog: pytest.LogCaptureFixture) -> None:
    def crash() -> float:
        raise ZeroDivisionError("a bug")

    complaints = Complaints(logging.getLogger(), FakeClock())
    assert guarded("selections", crash, complaints) == CRASH_PAUSE_S
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "selections: ZeroDivisionError: a bug" in caplog.text


def test_a_full_disk_is_said_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(logging.getLogger("hub"), FakeClock())

    def full() -> float:
        raise StoreError("/hub/hub.db: database or disk is full")

    assert [guarded("ticker", full, complaints) for _ in range(100)] == [FULL_PAUSE_S] * 100
    assert guarded("ticker", lambda: 7.0, complaints) == 7.0
    assert guarded("ticker", lambda: 7.0, complaints) == 7.0
    said = "E-DISK-01  ticker: /hub/hub.db: database or disk is full. It is tried again, "
    assert caplog.messages == [
        f"{said}and only said every 10 minutes",
        "the disk takes what it refused before",
    ]
