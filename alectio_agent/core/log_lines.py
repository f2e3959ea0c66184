"""How a record of the log becomes a line: for people, for machines, for the journal of systemd."""

import json
import logging
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from alectio_agent.core.clock import timestamp
from alectio_agent.core.errors import CODE_PATTERN, AlectioAgentError

# Control characters and bidirectional marks could forge lines or hide text on a terminal.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST_LINE = 2000
LONGEST_JSON = 8000
"""Characters of a message in JSON; the journal takes lines of 48 KiB."""
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


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


def pick_format(asked: str, environment: Mapping[str, str], stderr: int = 2) -> str:
    """The format that lines are written in.

    Args:
        asked: `text`, `json`, `journald`, or `auto` for what fits where stderr leads.
        environment: systemd names the journal's stream in it, and hooks of a service inherit that:
            it is believed only when stderr is that stream.
        stderr: File descriptor.

    Returns:
        `text`, `json` or `journald`.
    """
    if asked != "auto":
        return asked
    try:
        found = os.fstat(stderr)
    except OSError:
        return "text"
    is_journal = environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
    return "journald" if is_journal else "text"


def formatter_of(form: str) -> logging.Formatter:
    """What writes lines of a format.

    Args:
        form: As `pick_format` gave it.
    """
    return {"text": TextFormatter, "json": JsonFormatter, "journald": JournalFormatter}[form]()


class TextFormatter(logging.Formatter):
    """Local time with offset, level when it matters, message; one line unless a traceback."""

    default_time_format = "%Y-%m-%d %H:%M:%S%z"
    default_msec_format = ""
    _second, _time = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line = f"{self.formatTime(record)}  {_text(record)}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's own name
        """The time of a record, made once a second."""
        second = int(record.created)
        if second != self._second:
            self._second, self._time = second, super().formatTime(record, datefmt).rstrip()
        return self._time


class JournalFormatter(logging.Formatter):
    """A priority before each line, as `sd-daemon(3)` has it; the journal knows the time."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        text = _text(record)
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        # The journal takes each line for itself: without a priority it would be one of `info`.
        mark = f"<{_priority(record.levelno)}>"
        return "\n".join(mark + line for line in text.split("\n"))


class JsonFormatter(logging.Formatter):
    """One object a line, in UTC; every member but the first four only when it is known."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        message = record.getMessage().removeprefix(_own_prefix(record))
        said: dict[str, Any] = {
            "time": timestamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(message),
            **_about(record),
        }
        code = _code(record, message)
        if code is not None:
            said["code"] = code
        if record.exc_info:
            said["exception"] = _cut(self.formatException(record.exc_info))
        # ASCII only: no mark that turns text around reaches a terminal either.
        return json.dumps(said)


def _text(record: logging.LogRecord) -> str:
    level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
    # Lines behind the first are indented, so that no text can pass for a record of its own.
    parts = [printable(part, LONGEST_LINE) for part in _message(record).split("\n")]
    return level + "\n    ".join(parts)


def _message(record: logging.LogRecord) -> str:
    """The message, with the job and the step in front of it wherever they are known."""
    own, step = _own_prefix(record), getattr(record, "step", None)
    message = record.getMessage().removeprefix(own)
    if step is not None and not message.startswith(step):
        message = f"{step}: {message}"
    return f"{own or _prefix_of(record)}{message}"


def _prefix_of(record: logging.LogRecord) -> str:
    job, attempt = getattr(record, "job", None), getattr(record, "attempt", None)
    return "" if job is None else prefix(job, attempt)


def prefix(job: str, attempt: int | None) -> str:
    """What names a job before a message: people read of the attempt from the second on.

    Args:
        job: `experiment/loop`.
        attempt: Counted from 1; None when it is not known.
    """
    return f"{job} (attempt {attempt}) " if attempt is not None and attempt > 1 else f"{job} "


def _own_prefix(record: logging.LogRecord) -> str:
    """What the job's own logger has put before the message."""
    return str(getattr(record, "job_prefix", ""))


def _about(record: logging.LogRecord) -> dict[str, Any]:
    job = getattr(record, "job", None)
    if job is None:
        return {}
    experiment, _, loop = job.rpartition("/")
    said: dict[str, Any] = {"job": job}
    if experiment and loop.isdigit():
        said |= {"experiment": experiment, "loop": int(loop)}
    more = {name: getattr(record, name, None) for name in ("attempt", "step")}
    return said | {name: value for name, value in more.items() if value is not None}


def _code(record: logging.LogRecord, message: str) -> str | None:
    given = record.args if isinstance(record.args, tuple) else ()
    error = next((each for each in given if isinstance(each, AlectioAgentError)), None)
    if error is not None:
        return error.code
    found = CODE_PATTERN.search(message)
    return None if found is None else found[0]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_JSON else text[: LONGEST_JSON - 3] + "..."


def _priority(level: int) -> int:
    return next((priority for least, priority in _PRIORITIES if level >= least), 7)
