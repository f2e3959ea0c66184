"""One line an hour about what was done; one a day while nothing is."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alectio_agent.agent.jobs.counters import DONE, Counters
from alectio_agent.agent.journal.unsent import Unsent
from alectio_agent.core.clock import Clock
from alectio_agent.core.units import format_size

log = logging.getLogger(__name__)

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True)
class _Sums:
    """All counters at one moment."""

    jobs: Mapping[str, float]
    steps: float
    polls: float
    retries: Mapping[str, float]
    sent_bytes: int

    @property
    def work(self) -> tuple[float, float, float]:
        """What makes an hour worth a line; polls come and go while nothing happens."""
        return sum(self.jobs.values()), self.steps, sum(self.retries.values())


class HourlyLine:
    """Compares the counters with those of the last line."""

    def __init__(self, counters: Counters, sent_bytes: Callable[[], int], clock: Clock) -> None:
        """Count from now on.

        Args:
            counters: Of the agent.
            sent_bytes: Tells how much went out so far.
            clock: For when an hour is over.
        """
        self._counters = counters
        self._sent_bytes = sent_bytes
        self._clock = clock
        self._told_s = self._looked_s = clock.monotonic()
        self._told = self._sum()

    @property
    def due_s(self) -> float:
        """Seconds until the next look."""
        return max(0.0, self._looked_s + HOUR_S - self._clock.monotonic())

    def look(self, unsent: Callable[[], Unsent]) -> None:
        """Write the line, when it is time and there is something to say.

        Args:
            unsent: Tells what waits in the outbox.
        """
        if self.due_s > 0:
            return
        now_s = self._looked_s = self._clock.monotonic()
        found, before = self._sum(), self._told
        if found.work == before.work and now_s - self._told_s < DAY_S:
            return
        hours = max(1, round((now_s - self._told_s) / HOUR_S))
        self._told, self._told_s = found, now_s
        log.info("in %s: %s; %s", _hours(hours), _words(found, before), _outbox(unsent()))

    def _sum(self) -> _Sums:
        counters = self._counters
        return _Sums(
            counters.jobs.amounts,
            counters.steps.total,
            counters.polls.total,
            counters.retries.amounts,
            self._sent_bytes(),
        )


def _words(found: _Sums, before: _Sums) -> str:
    jobs = _grown(found.jobs, before.jobs)
    done = jobs.pop(DONE, 0)
    retries = _grown(found.retries, before.retries)
    return ", ".join(
        [
            f"{_many(done, 'job', 'jobs')} done",
            f"{sum(jobs.values())} not{_listed(jobs)}",
            _many(found.steps - before.steps, "step", "steps"),
            _many(found.polls - before.polls, "poll", "polls"),
            f"{_many(sum(retries.values()), 'retry', 'retries')}{_listed(retries)}",
            f"{format_size(found.sent_bytes - before.sent_bytes)} sent",
        ]
    )


def _many(count: float, one: str, more: str) -> str:
    return f"{count:.0f} {one if count == 1 else more}"


def _grown(found: Mapping[str, float], before: Mapping[str, float]) -> dict[str, int]:
    """What was added, by name; without what was not."""
    grown = {name: int(amount - before.get(name, 0)) for name, amount in found.items()}
    return {name: amount for name, amount in grown.items() if amount}


def _listed(amounts: Mapping[str, int]) -> str:
    named = ", ".join(f"{name} {amount}" for name, amount in amounts.items())
    return f" ({named})" if named else ""


def _outbox(unsent: Unsent) -> str:
    if not unsent.messages:
        return "outbox empty"
    return f"outbox {unsent.messages} ({format_size(unsent.size_bytes)})"


def _hours(count: int) -> str:
    return "the last hour" if count == 1 else f"the last {count} hours"
