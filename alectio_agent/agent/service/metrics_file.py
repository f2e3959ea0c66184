"""The file that node_exporter's textfile collector reads."""

import logging
import os
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

READABLE = 0o644


class MetricsFile:
    """Replaces the file as a whole: a reader sees the old text or the new one."""

    def __init__(self, file: Path) -> None:
        """Write nothing yet.

        Args:
            file: Ends with `.prom`, or the collector does not look at it.
        """
        self._file = file
        # The collector reads whatever ends with `.prom`; a rename is atomic within one folder only.
        self._beside = file.with_name(f".{file.name}.new")
        self._is_failing = False

    def write(self, text: str) -> None:
        """Write it; a folder that is missing or refuses is said once, and is no failure.

        Args:
            text: The metrics.
        """
        try:
            self._replace(text)
        except OSError as error:
            if not self._is_failing:
                self._is_failing = True
                log.warning(
                    "metrics.textfile: %s cannot be written: %s. The agent goes on without, and "
                    "tries again",
                    self._file,
                    error.strerror or error,
                )
            return
        if self._is_failing:
            self._is_failing = False
            log.info("metrics.textfile: %s is written again", self._file)

    def _replace(self, text: str) -> None:
        # Nobody's link is followed: the folder may be one that others write to as well.
        with suppress(FileNotFoundError):
            self._beside.unlink()
        opened = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READABLE)
        try:
            with os.fdopen(opened, "wb") as stream:
                os.fchmod(opened, READABLE)  # whatever the umask says: another user reads it
                stream.write(text.encode())
            # Not synced: after a power cut the next text is there within seconds.
            self._beside.rename(self._file)
        except OSError:
            with suppress(OSError):
                self._beside.unlink()
            raise
