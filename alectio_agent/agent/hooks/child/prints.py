"""What hooks print, also through their own child processes, goes to the job's log file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

PRINTS = (1, 2)


def print_to(log_file: str) -> None:
    """Send standard output and error to a file from now on.

    Args:
        log_file: Is appended to. When it cannot be opened, prints go where they went before.
    """
    flush_prints()
    with suppress(OSError):
        opened = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for descriptor in PRINTS:
            os.dup2(opened, descriptor)
        if opened not in PRINTS:
            os.close(opened)
    for stream in (sys.stdout, sys.stderr):
        _write_lines_at_once(stream)


def flush_prints() -> None:
    """Write out what Python holds back; user code may have replaced or closed the streams."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def _write_lines_at_once(stream: Any) -> None:
    # A process that is killed would take with it what it held back.
    with suppress(Exception):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
