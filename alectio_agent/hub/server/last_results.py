"""Writes the results files that are owed when a hub stops; nobody waits for a stuck process."""

import logging
from threading import Event, Thread

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreError
from alectio_agent.hub.results.results_process import ResultsClosedError
from alectio_agent.hub.results.writer import ResultsWriter
from alectio_agent.hub.server.worker import Worker

log = logging.getLogger(__name__)

ALL_S = 20.0
"""For everything that is owed; the next hub makes the rest."""
ONE_S = 10.0
"""For one answer, from the beginning of the stop on: most come within one second."""
LOOK_S = 0.25


class LastResults:
    """The last turn of the results, on a thread of its own, so that it can be left."""

    def __init__(self, worker: Worker, writer: ResultsWriter, clock: Clock) -> None:
        """Prepare.

        Args:
            worker: Turns the writer; was told to stop.
            writer: Writes the files.
            clock: For the limits.
        """
        self._worker = worker
        self._writer = writer
        self._clock = clock
        self._done = Event()
        self._is_left = False

    def write(self) -> None:
        """Write what is owed, and tell what was not written; close the maker then."""
        self._writer.hurry()
        Thread(target=self._run, name="results", daemon=True).start()
        began = self._clock.monotonic()
        while not self._done.is_set() and self._has_time(began):
            self._clock.wait(self._done, LOOK_S)
        self._is_left = True
        try:
            told = _told(*self._writer.unwritten())
        except StoreError as error:
            log.error("results: %s", error.message)  # noqa: TRY400 - its text says it all
            return
        if told:
            log.warning("%s; made at the next start", told)

    def _has_time(self, began: float) -> bool:
        now = self._clock.monotonic()
        asked_at = max(began, self._writer.asked_at or began)
        return now - began < ALL_S and now - asked_at < ONE_S

    def _run(self) -> None:
        try:
            self._worker.wait_for_end()
            if not self._is_left:
                self._writer.finish()
        except ResultsClosedError:
            log.debug("results: left behind")
        except StoreError as error:
            log.error("results: %s", error.message)  # noqa: TRY400 - its text says it all
        except Exception:
            log.exception("results: an error of the program")
        finally:
            self._done.set()


def _told(files: list[str], reports: list[str]) -> str:
    told = []
    if files:
        told.append(f"the results files of {', '.join(files)} are older")
    if reports:
        which, are = ("report", "is") if len(reports) == 1 else ("reports", "are")
        told.append(f"the {which} of {', '.join(reports)} {are} older")
    return " and ".join(told)
