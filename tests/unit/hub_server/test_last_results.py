"""A hub that stops writes what is owed, leaves what is stuck, and says what it left."""

import logging
import threading
from threading import Event
from typing import Any, cast

import pytest

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.results.results_process import ResultsClosedError
from alectio_agent.hub.results.writer import ResultsWriter
from alectio_agent.hub.server.last_results import ALL_S, ONE_S, LastResults
from alectio_agent.hub.server.worker import Worker
from tests.support.clocks import FakeClock


class Ended:
    """A worker whose thread is gone."""

    def wait_for_end(self) -> None:
        """Return at once."""


class Writer:
    """Its last turn lasts until it is released, or ends as it is told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked_at: float | None = None
        self.owed: tuple[list[str], list[str]] = ([], [])
        self.error = error
        self.released = Event()
        self.is_finished = False
        self.is_hurried = False

    def hurry(self) -> None:
        self.is_hurried = True

    def finish(self) -> None:
        assert self.released.wait(10)
        if self.error is not None:
            raise self.error
        self.is_finished = True

    def unwritten(self) -> tuple[list[str], list[str]]:
        return self.owed


class Patient(FakeClock):
    """Time passes only while the writer is stuck; else its end is waited for."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self.writer = writer

    def wait(self, event: Event, seconds: float) -> bool:
        if self.writer.released.is_set():
            return event.wait(10)
        return super().wait(event, seconds)


def write(writer: Writer, worker: Any = None, clock: FakeClock | None = None) -> FakeClock:
    clock = clock or Patient(writer)
    worker = cast(Worker, worker or Ended())
    LastResults(worker, cast(ResultsWriter, writer), clock).write()
    return clock


@pytest.fixture
def stuck() -> Any:
    writer = Writer()
    yield writer
    writer.released.set()


def test_what_is_owed_is_written_and_nothing_said(caplog: pytest.LogCaptureFixture) -> None:
    writer = Writer()
    writer.released.set()
    write(writer)
    assert writer.is_finished
    assert writer.is_hurried, "a turn that waits for further loops waits no longer"
    assert caplog.records == []


def test_a_stuck_answer_is_left_after_ten_seconds(stuck: Writer) -> None:
    clock = write(stuck)
    assert clock.monotonic() == ONE_S


def test_answers_that_keep_coming_get_more_time_but_not_for_ever(stuck: Writer) -> None:
    class Answering(Patient):
        def wait(self, event: Event, seconds: float) -> bool:
            stuck.asked_at = self.monotonic()
            return super().wait(event, seconds)

    assert write(stuck, clock=Answering(stuck)).monotonic() == ALL_S


@pytest.mark.parametrize(
    ("files", "reports", "said"),
    [
        (["a", "b"], [], "the results files of a, b are older; made at the next start"),
        ([], ["a"], "the report of a is older; made at the next start"),
        (
            ["a"],
            ["b", "c"],
            "the results files of a are older and the reports of b, c are older; "
            "made at the next start",
        ),
    ],
)
def test_what_was_not_written_is_said_once(
    stuck: Writer,
    caplog: pytest.LogCaptureFixture,
    files: list[str],
    reports: list[str],
    said: str,
) -> None:
    stuck.owed = (files, reports)
    write(stuck)
    assert [record.getMessage() for record in caplog.records] == [said]


def test_a_worker_that_ends_after_it_was_left_has_nothing_more_written() -> None:
    """The store is closed by then."""

    class Late(Ended):
        goes_on = Event()

        def wait_for_end(self) -> None:
            assert self.goes_on.wait(10)

    writer, worker = Writer(), Late()
    last = LastResults(cast(Worker, worker), cast(ResultsWriter, writer), Patient(writer))
    last.write()
    worker.goes_on.set()
    writer.released.set()
    for thread in threading.enumerate():
        if thread.name == "results":
            thread.join(10)
    assert not writer.is_finished


@pytest.mark.parametrize(
    ("error", "levels"),
    [
        (StoreError("results: No space left on device"), [logging.ERROR]),
        (ZeroDivisionError("a bug"), [logging.ERROR]),
        (ResultsClosedError("the results process was closed"), []),
    ],
)
def test_an_error_of_the_last_turn_promises_no_other(
    caplog: pytest.LogCaptureFixture, error: Exception, levels: list[int]
) -> None:
    writer = Writer(error)
    writer.released.set()
    write(writer)
    assert [record.levelno for record in caplog.records] == levels
    assert "trying again" not in caplog.text
