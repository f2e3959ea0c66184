"""Follows the log files of jobs, from one to the next."""

from collections.abc import Callable
from pathlib import Path

from alectio_agent.agent.journal.job_logs import JobLog, job_logs
from alectio_agent.cli.job_name import NamedJob
from alectio_agent.cli.log_tail import Tail

TURN_S = 0.5


class LogFollower:
    """A step object: one turn shows what the hooks printed since the last."""

    def __init__(
        self,
        folder: Path,
        is_wanted: Callable[[JobLog], bool],
        show: Callable[[JobLog, str], None],
        started: JobLog | None,
        lines: int | None,
    ) -> None:
        """Start at the end of all files but one.

        Args:
            folder: `<state_dir>/logs`; need not exist.
            is_wanted: Which of its files are followed.
            show: Gets each line, with the file it is from.
            started: The file that is shown from its beginning, or from its last lines.
            lines: How many of these; None for all.
        """
        self._folder = folder
        self._is_wanted = is_wanted
        self._show = show
        self._tails = {
            log: Tail(folder / log.file_name, lines if log == started else 0)
            for log in self._wanted()
        }

    def step(self) -> float:
        """Show what is new. A file that was not there before is shown from its beginning.

        Returns:
            Seconds to wait before the next turn.
        """
        for log in self._wanted():
            tail = self._tails.setdefault(log, Tail(self._folder / log.file_name))
            for line in tail.lines():
                self._show(log, line)
        return TURN_S

    def finish(self) -> None:
        """Show lines that were begun and not ended."""
        for log, tail in self._tails.items():
            rest = tail.rest()
            if rest:
                self._show(log, rest)

    def _wanted(self) -> list[JobLog]:
        return [log for log in job_logs(self._folder) if self._is_wanted(log)]


def newest(folder: Path, logs: list[JobLog], job: NamedJob | None) -> JobLog | None:
    """The file that is meant when several are.

    Args:
        folder: Where they lie.
        logs: Sorted.
        job: What was named.

    Returns:
        Of a named job the last loop and attempt, else the file that was written to last.
    """
    if job is not None:
        return max(logs, default=None)
    return max(logs, key=lambda log: (_written_at(folder / log.file_name), log), default=None)


def _written_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0  # removed meanwhile
