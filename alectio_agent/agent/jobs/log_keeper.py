"""Keeps the logs of jobs below an age and a size, also those that grow while nobody looks."""

import logging
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.journal.capped_log import cap_log, taken_bytes
from alectio_agent.agent.journal.job_logs import JobLog, job_logs
from alectio_agent.core.clock import Clock
from alectio_agent.core.disk_errors import disk_errors
from alectio_agent.core.log import JobLogger, job_logger
from alectio_agent.core.units import format_size

log = logging.getLogger(__name__)

IDLE_S = 60.0
CAP_S = 5.0
"""While hooks run: between two looks at how much they print."""
SHARE = 4
"""One log may take a quarter of what all may."""


@dataclass(frozen=True)
class LogRules:
    """How long logs stay, and how much room they may take.

    Attributes:
        keep_s: Seconds since something was written to one.
        max_bytes: Of all of them.
    """

    keep_s: float
    max_bytes: int


@dataclass(frozen=True)
class _Found:
    """A log of a job that is over."""

    file: Path
    written_s: float
    bytes: int


class LogKeeper:
    """Has its turn in those of the keeper."""

    def __init__(self, folder: Path, also: Path, rules: LogRules, clock: Clock) -> None:
        """Name the files.

        `in_hand` tells the logs that hooks print into now, `followed` those that are to be sent.

        Args:
            folder: `<state_dir>/logs`, a file per job attempt.
            also: A folder whose `*.log` are kept small, and never removed.
            rules: For all logs of jobs.
            clock: For their age.
        """
        self._folder = folder
        self._also = also
        self.rules = rules
        self._clock = clock
        self.in_hand: Callable[[], Iterable[Path]] = tuple
        self.followed: Callable[[], Collection[Path]] = tuple

    def cap(self) -> float:
        """Drop the middle of logs that grow too long.

        Returns:
            Seconds until the next look.

        Raises:
            StoreError: The disk refuses.
        """
        files = list(self.in_hand())
        for file in files:
            self._cap(file)
        return CAP_S if files else IDLE_S

    def look(self, jobs_in_hand: Collection[str]) -> None:
        """Remove old logs, and the oldest when all together are too large.

        Args:
            jobs_in_hand: Their logs stay, as `experiment/loop`.

        Raises:
            StoreError: The disk refuses.
        """
        for file in self._also.glob("*.log"):
            self._cap(file)
        total, found = 0, list[_Found]()
        followed = self.followed()
        for each in job_logs(self._folder):
            file = self._folder / each.file_name
            with disk_errors(file):
                status = os.stat(file)  # noqa: PTH116 - thousands of files
            total += taken_bytes(status)
            if each.job not in jobs_in_hand and file not in followed:
                found.append(_Found(file, status.st_mtime, taken_bytes(status)))
        self._remove(sorted(found, key=lambda log: (log.written_s, log.file)), total)

    def _remove(self, found: list[_Found], total_bytes: int) -> None:
        oldest_s = self._clock.now().timestamp() - self.rules.keep_s
        for each in found:
            if each.written_s >= oldest_s and total_bytes <= self.rules.max_bytes:
                return  # all others are newer
            with disk_errors(each.file):
                each.file.unlink(missing_ok=True)
            total_bytes -= each.bytes

    def _cap(self, file: Path) -> None:
        with disk_errors(file):
            freed = cap_log(file, self.rules.max_bytes // SHARE)
        if freed:
            _logger(file).warning(
                "%s: hooks print too much: %s of its middle were dropped (logging.max_size)",
                file,
                format_size(freed),
            )


def _logger(file: Path) -> logging.Logger | JobLogger:
    """Names the job that a file is of."""
    found = JobLog.of(file.name)
    return log if found is None else job_logger(log, found.job, found.attempt)
