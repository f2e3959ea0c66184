"""Removes the logs of jobs whose hooks printed nothing, so that nobody has to look into them."""

from contextlib import suppress
from pathlib import Path


class EmptyLogs:
    """The logs of one slot's jobs.

    A hook process stays warm, and may print until its next job names another file: only then is
    the one before it looked at.
    """

    def __init__(self) -> None:
        """Start before the first job."""
        self._newest: Path | None = None

    def ended(self, file: Path) -> None:
        """A job is over.

        Args:
            file: Its log; need not exist.
        """
        before, self._newest = self._newest, file
        if before is not None and before != file:
            _remove_if_empty(before)


def _remove_if_empty(file: Path) -> None:
    with suppress(OSError):  # it is as well there
        if file.stat().st_size == 0:
            file.unlink()
