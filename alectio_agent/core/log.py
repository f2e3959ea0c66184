"""Logging: one line per record, safe to print, with the job it is about.

A record names its job, attempt and step when it comes from a `job_logger`, or from the thread that
works `about` a job.
"""

import logging
import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from alectio_agent.core.log_lines import formatter_of, pick_format, prefix, printable

__all__ = ["JobLogger", "about", "configure", "job_logger", "printable", "set_format", "set_level"]

ROOT = "alectio_agent"
_JobNames = tuple[str, int | None, str | None]
_ABOUT: ContextVar[_JobNames | None] = ContextVar("about", default=None)


class JobLogger(logging.LoggerAdapter[logging.Logger]):
    """Puts the job, and the attempt from the second on, in front of every message."""

    def process(
        self, msg: str, kwargs: MutableMapping[str, Any]
    ) -> tuple[str, MutableMapping[str, Any]]:
        """Prefix one message."""
        extra = {**(self.extra or {}), **kwargs.get("extra", {})}
        return f"{extra['job_prefix']}{msg}", {**kwargs, "extra": extra}


def job_logger(
    logger: logging.Logger, job: str, attempt: int | None = None, step: str | None = None
) -> JobLogger:
    """A logger whose records name their job.

    Args:
        logger: The module's own.
        job: `experiment/loop`.
        attempt: Counted from 1; None when it is not known.
        step: That the records are about; None for the whole job.

    Returns:
        The adapter to log with.
    """
    names = {"job": job, "attempt": attempt, "step": step, "job_prefix": prefix(job, attempt)}
    return JobLogger(logger, names)


@contextmanager
def about(job: str, attempt: int, step: str | None) -> Iterator[None]:
    """Let whatever this thread logs name its job, also where nothing is known of jobs.

    Args:
        job: `experiment/loop`.
        attempt: Counted from 1.
        step: That runs; None between two steps.
    """
    before = _ABOUT.set((job, attempt, step))
    try:
        yield
    finally:
        _ABOUT.reset(before)


def configure(level: str, *, tracebacks: bool = False, form: str = "text") -> None:
    """Send the package's records to stderr.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        tracebacks: Print them; else a record's exception stays silent.
        form: As `logging.format` in `agent.yaml`.
    """
    # No record says where it comes from, and finding that out takes longer than printing it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as logging's guide says
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_name_job)
    if not tracebacks:
        handler.addFilter(_drop_traceback)
    root = logging.getLogger(ROOT)
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
    set_format(form)


def set_level(level: str) -> None:
    """Change the level of a configured log.

    Args:
        level: As for `configure`.
    """
    logging.getLogger(ROOT).setLevel(level.upper())


def set_format(form: str) -> None:
    """Change the format of a configured log.

    Args:
        form: As for `configure`.
    """
    formatter = formatter_of(pick_format(form, os.environ))
    for handler in logging.getLogger(ROOT).handlers:
        handler.setFormatter(formatter)


def _name_job(record: logging.LogRecord) -> bool:
    names = _ABOUT.get()
    if names is not None and not hasattr(record, "job"):
        record.job, record.attempt, record.step = names
    return True


def _drop_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = None
    record.exc_text = None
    return True
