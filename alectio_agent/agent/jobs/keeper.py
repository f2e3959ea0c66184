"""Removes what may go: acknowledged results, by age and for room, and the logs of old jobs."""

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from alectio_agent.agent.jobs.log_keeper import LogKeeper, LogRules
from alectio_agent.agent.jobs.steady_time import SteadyTime
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.keeping import AT_ONCE, EndedResult
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.agent.journal.reserve import Reserve
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import StoreError
from alectio_agent.core.units import format_size

log = logging.getLogger(__name__)

LOOK_S = 60.0
"""Between two looks at what may go."""
FREED_BYTES = 64 * 2**20
"""So much is removed when something found no room; more only when that was not enough."""
MOST_PAST_JOBS = 1000
"""Jobs that are over and whose files are gone; people look at the newest, if at any."""


@dataclass(frozen=True)
class KeepRules:
    """How long results stay, and how much room they may take.

    Attributes:
        keep_sent_s: Seconds after the platform has acknowledged a result.
        max_bytes: Of all results. What was not acknowledged stays above it too.
        min_free_bytes: With less free on the disk, what was acknowledged goes.
    """

    keep_sent_s: float
    max_bytes: int
    min_free_bytes: int


class Keeper:
    """A step object; `make_room` and `reason` may be called from any thread.

    Attributes:
        keep_record: Told the time once a minute, for the record of what leaves.
        watches: Looked at once a minute, for what no call tells by itself.
        overfull: Why results that must stay are too many, in words; empty otherwise.
    """

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        reserve: Reserve,
        logs: LogKeeper,
        rules: KeepRules,
        clock: Clock,
    ) -> None:
        """Bind it to what it keeps.

        Args:
            journal: Knows which results may go.
            outbox: Holds them.
            reserve: Is filled again when there is room.
            logs: Of the jobs; they have their turn in each of these.
            rules: For results.
            clock: For their age.
        """
        self._journal = journal
        self._outbox = outbox
        self._reserve = reserve
        self.logs = logs
        self._rules = rules
        self._clock = clock
        self._steady = SteadyTime(clock, journal.newest_moment())
        self._sizes: dict[Path, int] = {}
        self._is_urgent = threading.Event()
        self._look_at_s = self._watch_at_s = 0.0
        self._can_go = False
        self.keep_record: Callable[[datetime], None] = _nothing
        self.overfull = ""
        self.watches: list[Callable[[], None]] = []
        self._said: set[str] = set()
        self._said_before: set[str] = set()
        self.wake = threading.Event()

    def change(self, rules: KeepRules, log_rules: LogRules) -> None:
        """Keep to other rules from the next look on, which is soon; from any thread.

        Args:
            rules: For results.
            log_rules: For logs.
        """
        self._rules, self.logs.rules = rules, log_rules
        self._look_at_s = 0.0
        self.wake.set()

    def make_room(self) -> None:
        """Let acknowledged results go, oldest first: something found the disk full."""
        self._is_urgent.set()
        self.wake.set()

    def reason(self) -> str:
        """Why no job may be asked for: results that must stay are too many; empty otherwise."""
        free = self._outbox.free_bytes() if self._can_go else None
        if free is not None and free < self._rules.min_free_bytes:
            self._look_at_s = 0.0
            self.wake.set()
        return self.overfull

    def step(self) -> float:
        """Cut logs that grow without end; now and then look at all else.

        Returns:
            Seconds until the next turn.
        """
        next_s = LOOK_S
        try:
            next_s = self.logs.cap()
            if self._clock.monotonic() >= self._watch_at_s:
                self._watch_at_s = self._clock.monotonic() + LOOK_S
                for look in self.watches:
                    look()
            if self._is_urgent.is_set() or self._clock.monotonic() >= self._look_at_s:
                self._said_before, self._said = self._said, set()
                self._look()
        except StoreError as error:
            self._say(error)
        return next_s

    def _look(self) -> None:
        self._look_at_s = self._clock.monotonic() + min(LOOK_S, self._rules.keep_sent_s)
        is_urgent = self._is_urgent.is_set()
        self._is_urgent.clear()
        self._keep_results(is_urgent=is_urgent)
        self.keep_record(self._steady.now())
        self.logs.look(self._journal.keeping.jobs_in_hand())
        while self._journal.keeping.forget_jobs(MOST_PAST_JOBS):
            pass
        self._reserve.keep()

    def _keep_results(self, *, is_urgent: bool) -> None:
        keeping = self._journal.keeping
        moment = timestamp(self._steady.now() - timedelta(seconds=self._rules.keep_sent_s))
        while self._remove_old(moment) == AT_ONCE:
            pass
        total_bytes = self._measure()
        free = self._outbox.free_bytes()
        lacking = 0 if free is None else self._rules.min_free_bytes - free
        too_much = total_bytes - self._rules.max_bytes
        wanted = max(too_much, lacking, FREED_BYTES if is_urgent else 0)
        # There may be hundreds of thousands: they are asked for only when some must go.
        gone, freed = self._remove(keeping.ended(), wanted) if wanted > 0 else (0, 0)
        if gone:
            log.info(
                "to make room, %d acknowledged results were removed: %s", gone, format_size(freed)
            )
        self._can_go = bool(keeping.ended(1))
        self._judge(total_bytes - freed)

    def _remove_old(self, moment: str) -> int:
        """Remove some of those that ended before a moment; gives how many."""
        oldest = self._journal.keeping.ended(AT_ONCE)
        return self._remove([one for one in oldest if one.ended_at < moment], math.inf)[0]

    def _remove(self, results: list[EndedResult], wanted_bytes: float) -> tuple[int, int]:
        """Remove results until so much is freed; gives how many went, and their bytes.

        Files first: a folder whose row says that it is gone would never be looked at again.
        """
        freed, gone = 0, list[EndedResult]()
        for result in results:
            if freed >= wanted_bytes:
                break
            size = self._outbox.size_of(self._outbox.result_folder(result.lease, result.step))
            try:
                self._outbox.remove(result.lease, result.step)
            except StoreError as error:
                self._say(error)  # the others may go
                continue
            freed += size
            gone.append(result)
        if gone:
            # Before it is noted: a result of a job that nobody knows would be sent again.
            self._outbox.sync()
            self._journal.keeping.note_gone(gone)
        return len(gone), freed

    def _measure(self) -> int:
        """Bytes of all results; those of a closed job never change, and are measured once."""
        in_hand = set(self._journal.leases())
        sizes = dict[Path, int]()
        for folder in self._outbox.folders():
            known = None if folder.name.partition(".")[0] in in_hand else self._sizes.get(folder)
            sizes[folder] = self._outbox.size_of(folder) if known is None else known
        self._sizes = sizes
        return sum(sizes.values())

    def _judge(self, total_bytes: int) -> None:
        """Say whether what must stay is too much."""
        self.overfull = ""
        if total_bytes > self._rules.max_bytes:
            self.overfull = (
                f"results that the platform has not acknowledged take {format_size(total_bytes)}, "
                f"and outbox.max_size is {format_size(self._rules.max_bytes)}"
            )

    def _say(self, error: StoreError) -> None:
        is_news = error.message not in self._said | self._said_before
        self._said.add(error.message)
        if is_news:
            log.warning("could not be removed yet: %s", error.message)


def _nothing(_now: datetime) -> None:
    """There is no record to keep."""
