"""Logging: one line per record, safe to print, with the job it is about.

The names of a record's job come as `extra={"job": "xray/3"}` or from `job_logger`.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

ROOT = "alectio_agent"
# Control characters and bidirectional marks could forge lines or hide text on a terminal.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: object, limit: int = 200) -> str:
    """Make foreign text safe for one line of a terminal or log.

    Args:
        text: Anything; its `str` is taken.
        limit: Longest result, in characters.

    Returns:
        The text with control and bidirectional characters escaped, cut with `...`.
    """
    escaped = _UNSAFE.sub(lambda found: f"\\x{ord(found[0]):02x}", str(text))
    return escaped if len(escaped) <= limit else escaped[: limit - 3] + "..."


class JobLogger(logging.LoggerAdapter[logging.Logger]):
    """Puts the job, and the attempt from the second on, in front of every message."""

    def process(
        self, msg: str, kwargs: MutableMapping[str, Any]
    ) -> tuple[str, MutableMapping[str, Any]]:
        """Prefix one message."""
        extra = self.extra or {}
        attempt = extra.get("attempt", 1)
        again = f" (attempt {attempt})" if isinstance(attempt, int) and attempt > 1 else ""
        return f"{extra.get('job', '?')}{again} {msg}", kwargs


def job_logger(logger: logging.Logger, job: str, attempt: int = 1) -> JobLogger:
    """A logger whose records name their job.

    Args:
        logger: The module's own.
        job: `experiment/loop`.
        attempt: Counted from 1.

    Returns:
        The adapter to log with.
    """
    return JobLogger(logger, {"job": job, "attempt": attempt})


class _LineFormatter(logging.Formatter):
    """Local time with offset, level when it matters, message; one line unless a traceback."""

    default_time_format = "%Y-%m-%d %H:%M:%S%z"
    default_msec_format = ""
    _second, _time = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        # Lines behind the first are indented, so that no text can pass for a record of its own.
        text = "\n    ".join([printable(part, 2000) for part in record.getMessage().split("\n")])
        line = f"{self.formatTime(record)}  {level}{text}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's own name
        second = int(record.created)
        if second != self._second:
            self._second, self._time = second, super().formatTime(record, datefmt).rstrip()
        return self._time


def configure(level: str, *, tracebacks: bool = False) -> None:
    """Send the package's records to stderr.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        tracebacks: Print them; else a record's exception stays silent.
    """
    # No record says where it comes from, and finding that out takes longer than printing it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as logging's guide says
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter())
    if not tracebacks:
        handler.addFilter(_drop_traceback)
    root = logging.getLogger(ROOT)
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False


def set_level(level: str) -> None:
    """Change the level of a configured log.

    Args:
        level: As for `configure`.
    """
    logging.getLogger(ROOT).setLevel(level.upper())


def _drop_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = None
    record.exc_text = None
    return True
