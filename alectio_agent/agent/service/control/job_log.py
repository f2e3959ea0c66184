"""Finds the log that is meant, for whoever may not look into the folder."""

from pathlib import Path

from alectio_agent.agent.journal.job_logs import JobLog, job_logs
from alectio_agent.core.errors import UsageError

HAND_OVER = "hand_over"
"""Member of an answer: a file that the server opens and hands over, for who may not open it."""


def find_log(folder: Path, job: str | None, attempt: int | None) -> JobLog:
    """The newest log that was asked for.

    Args:
        folder: Holds all of them.
        job: `experiment/loop`, an experiment alone for its newest loop, None for any.
        attempt: None for the newest.

    Raises:
        UsageError: There is none.
    """
    there = [
        log
        for log in job_logs(folder)
        if job in (None, log.job, log.experiment) and attempt in (None, log.attempt)
    ]
    if not there:
        which = f" of {job}" if job else ""
        raise UsageError(f"no log{which} is there yet", code="E-USE-02")
    if job is not None:
        return max(there)
    return max(there, key=lambda log: (_written_at(folder / log.file_name), log))


def _written_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0  # removed meanwhile
