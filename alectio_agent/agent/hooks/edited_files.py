"""Notices that a file which a hook process has read was changed since."""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Seen:
    """A file as it was; no digest when it may have changed after it was read."""

    stat: tuple[int, int, int, int]
    digest: bytes | None


class EditedFiles:
    """Files of one hook process."""

    def __init__(self, files: Iterable[Path], now_ns: Callable[[], int]) -> None:
        """Note files that the process will read; it is not started yet.

        Args:
            files: Those known beforehand.
            now_ns: Wall clock, nanoseconds since 1970.
        """
        self._now_ns = now_ns
        self._seen = {file: _look(file) for file in files}
        self._started_ns = now_ns()

    def note(self, files: Iterable[Path]) -> None:
        """Note files that the process has read by now.

        Args:
            files: Known ones among them are passed over.
        """
        for file in files:
            if file not in self._seen:
                self._seen[file] = self._first_look(file)

    def digest(self, file: Path) -> bytes | None:
        """SHA-256 of a file as the process has read it.

        Args:
            file: Any.

        Returns:
            None when that is not known.
        """
        seen = self._seen.get(file)
        return None if seen is None else seen.digest

    def changed(self) -> Path | None:
        """A file whose content is no longer what the process has read; None when there is none."""
        return next(
            (file for file, seen in self._seen.items() if self._has_changed(file, seen)), None
        )

    def _first_look(self, file: Path) -> _Seen | None:
        seen = _look(file)
        # Read some time after the start, seen only now: an edit in between would go unnoticed.
        # A time in the future says nothing; the clock of a file server may be ahead.
        if seen is not None and self._started_ns <= seen.stat[3] <= self._now_ns():
            return _Seen(seen.stat, None)
        return seen

    def _has_changed(self, file: Path, seen: _Seen | None) -> bool:
        if seen is not None and seen.digest is None:
            return True
        if seen is not None and seen.stat == _stat(file):
            return False
        now = _look(file)
        if now is None or seen is None:
            return now is not seen
        if now.digest != seen.digest:
            return True
        self._seen[file] = now  # touched, or written again with the same content
        return False


def _stat(file: Path) -> tuple[int, int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - one system call, once for each file and step
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns


def _look(file: Path) -> _Seen | None:
    stat = _stat(file)
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return _Seen(stat, hashlib.sha256(content).digest()) if stat else None
