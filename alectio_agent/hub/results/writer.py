"""Has results files made off the loop's path: collects what changed, and asks for it."""

import logging
from threading import Event
from typing import Any

from sqlalchemy import Connection, select

from alectio_agent.core.errors import StoreError
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.versions import told_versions
from alectio_agent.hub.results.marks import read_mark
from alectio_agent.hub.results.results_process import (
    Maker,
    ResultsClosedError,
    ResultsEndedError,
    ResultsError,
)
from alectio_agent.hub.results.schedule import ReportSchedule
from alectio_agent.hub.store.store import Store
from alectio_agent.hub.store.tables import experiments

log = logging.getLogger(__name__)

IDLE_S = 3600.0
BETWEEN_S = 0.5
"""Changes that follow each other faster share one write."""
LOOPS_S = 2.0
"""The same for loops while their experiment goes on: a write costs as much as one of them."""
REST_S = 60.0
"""Without anything to do, the maker takes memory for so long."""
MOST_DEATHS = 3
"""A request that ended the process so often will do it again."""


class ResultsWriter:
    """A step object: one turn has the files of what changed made, and at most one report."""

    def __init__(self, store: Store, platform: Platform, maker: Maker, program: str) -> None:
        """Prepare; the first turn finds what an earlier process left undone.

        Args:
            store: The hub's.
            platform: Whose experiments.
            maker: Makes the files.
            program: Version of this program; files of another one are made anew.
        """
        self._store = store
        self._due = platform.context.due
        self._results = platform.context.results
        self._clock = platform.context.clock
        self._maker = maker
        self._program = program
        self._reports = ReportSchedule()
        self._owed = set[str]()
        self._never = Event()
        self._written_at: float | None = None
        self._asked_at: float | None = None

    @property
    def wake(self) -> Event:
        """Set when an experiment changed."""
        return self._due.results

    @property
    def asked_at(self) -> float | None:
        """When the maker was last asked, on the clock's monotonic time."""
        return self._asked_at

    def unwritten(self) -> tuple[list[str], list[str]]:
        """What is out of date, once nothing more is written.

        Returns:
            Experiments whose files are, and those of which only the report is.

        Raises:
            StoreError: The database cannot be read.
        """
        self._owed |= set(self._due.take_marked())
        versions = self._store.read(_all_versions).result()
        # What was asked for again may have been in the files already.
        marks = {name: read_mark(self._results / name) for name in self._owed | self._reports.owed}
        files = {
            name
            for name in self._owed
            if not marks[name].has_data(self._program, versions[name][name])
        }
        reports = {name for name in marks.keys() - files if marks[name].report != versions[name]}
        return sorted(files), sorted(reports)

    def step(self) -> float:
        """Write what is out of date; nothing any more when the maker was closed.

        Returns:
            Seconds to wait before the next turn.

        Raises:
            StoreError: The disk refuses; what was not written stays out of date.
        """
        try:
            return self._turn()
        except ResultsClosedError:
            return IDLE_S

    def hurry(self) -> None:
        """End the turn at hand without waiting for further loops; from any thread."""
        self._due.hurry.set()

    def finish(self) -> None:
        """Write all that is owed now, reports whose time has not come as well.

        Raises:
            StoreError: The disk refuses; the next hub makes what is missing.
            ResultsClosedError: The maker was closed meanwhile.
        """
        if self._written_at is None:
            self._mark_stale()
        failed = self._make_data()
        while failed is None and (report := self._reports.any_owed()) is not None:
            failed = self._make_report(report)
        if failed is not None:
            raise failed

    def _turn(self) -> float:
        if self._written_at is None:
            self._mark_stale()
        else:
            self._wait(self._never, self._written_at + BETWEEN_S)
            if self._due.has_marks:  # else there are reports to make, which wait for no loop
                self._wait(self._due.hurry, self._written_at + LOOPS_S)
        self._due.hurry.clear()
        failed = self._make_data()
        self._written_at = self._clock.monotonic()
        report = self._reports.next(self._written_at)
        if report is not None:
            failed = self._make_report(report) or failed
        if failed is not None:
            raise failed
        return self._next_turn()

    def _wait(self, event: Event, until: float) -> None:
        self._clock.wait(event, until - self._clock.monotonic())

    def _mark_stale(self) -> None:
        for name, versions in self._store.read(_all_versions).result().items():
            folder = self._results / name
            if not read_mark(folder).is_current(folder, self._program, name, versions):
                self._due.mark(name)

    def _make_data(self) -> StoreError | None:
        """Everything but reports. The first error: one folder's trouble is not the others'."""
        failed: StoreError | None = None
        self._owed |= set(self._due.take_marked())
        for name in sorted(self._owed):
            try:
                answer = self._ask("data", name)
            except StoreError as error:
                # Not marked again: that would wake the next turn, which comes after a pause.
                failed = failed or error
                continue
            self._owed.discard(name)
            if answer is None:
                continue
            for problem in answer["problems"]:
                log.warning("%s: outputs of %s", name, problem)
            self._reports.saw(name, answer["state"])
            for other in answer["shown_in"]:
                self._reports.owe(other)
        return failed

    def _make_report(self, name: str) -> StoreError | None:
        began, failed = self._clock.monotonic(), None
        try:
            self._ask("report", name)
        except StoreError as error:
            failed = error
        self._reports.made(name, began, self._clock.monotonic())
        if failed is not None:
            self._reports.owe(name)
        return failed

    def _ask(self, what: str, name: str) -> dict[str, Any] | None:
        """The answer; None when the files cannot be made until the experiment changes."""
        for _ in range(MOST_DEATHS):
            self._asked_at = self._clock.monotonic()
            try:
                return self._maker.ask({"op": what, "name": name})
            except ResultsEndedError as error:
                log.warning("%s: %s; starting another", name, error.message)
            except ResultsError as error:
                log.exception("%s: no %s files: %s", name, what, error.message)
                return None
        log.error("%s: no %s files: the process ended %d times", name, what, MOST_DEATHS)
        return None

    def _next_turn(self) -> float:
        now = self._clock.monotonic()
        report_s = self._reports.wait_s(now)
        if report_s is not None:
            return report_s
        if self._asked_at is None:
            return IDLE_S
        rest_s = self._asked_at + REST_S - now
        if rest_s > 0:
            return rest_s
        self._maker.rest()
        self._asked_at = None
        return IDLE_S


def _all_versions(tx: Connection) -> dict[str, dict[str, int]]:
    """For each experiment the versions that its report is to be up to date with."""
    rows = tx.execute(select(experiments.c.name, experiments.c.control)).all()
    return {row.name: told_versions(tx, row.name, row.control) for row in rows}
