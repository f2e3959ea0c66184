"""What hooks print, also through their own child processes, goes to the job's log file."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any

PRINTS = (1, 2)
FORGIVEN = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
NOTE = "\n[... {:,} bytes could not be written here: {} ...]\n"


class ForgivingFile(io.RawIOBase):
    """A file that loses what its disk does not take, and says so once there is room.

    Hours of training must not end because a line could not be printed.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        """Write where a descriptor leads, whatever that is at the time.

        Args:
            descriptor: Stays open.
            name: As shown by `repr`.
        """
        super().__init__()
        self._descriptor = descriptor
        self.name = name
        self._lost = 0
        self._reason = ""

    def fileno(self) -> int:
        """For programs that inherit it."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether somebody looks at it."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Write what can be written.

        Args:
            data: Bytes.

        Returns:
            How many are dealt with.
        """
        try:
            self.tell_lost()
            return os.write(self._descriptor, data)
        except OSError as error:
            if error.errno not in FORGIVEN:
                raise
            self._lost += len(data)
            self._reason = error.strerror or str(error)
            return len(data)

    def tell_lost(self) -> None:
        """Say how much is missing here, if any is.

        Raises:
            OSError: There is no room for that either.
        """
        if self._lost:
            os.write(self._descriptor, NOTE.format(self._lost, self._reason).encode())
            self._lost = 0


def forgive_full_disks() -> None:
    """Let `print` go on where the disk of the log is full; a terminal is left alone."""
    for descriptor, name in zip(PRINTS, ("stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None or os.isatty(descriptor):
            continue
        buffered = io.BufferedWriter(ForgivingFile(descriptor, "<{}>".format(name)))
        forgiving = io.TextIOWrapper(
            buffered, stream.encoding, errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, forgiving)


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
            raw = getattr(stream.buffer, "raw", None)
            if isinstance(raw, ForgivingFile):
                raw.tell_lost()


def _write_lines_at_once(stream: Any) -> None:
    # A process that is killed would take with it what it held back.
    with suppress(Exception):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
