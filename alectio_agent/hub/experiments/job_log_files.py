"""What hooks printed, as far as agents sent it: the beginning and the end of each attempt's log.

The text of an attempt lies in `<job_id>/<attempt>/`, one file for each run of text without a gap,
named after the position at which it begins. So nothing else must be kept in step with the text: a
hub that is killed at any point goes on from the files.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.core.errors import ProblemError, StoreError
from alectio_agent.hub.experiments.context import Context
from alectio_agent.wire.logs import LogText
from alectio_agent.wire.protocol import LOG_END_BYTES, LOG_START_BYTES, MAX_LOG_BYTES

SUFFIX = ".log"
MOST_RUNS = 32
"""Text that comes with more gaps than this is refused: each run is a file."""


@dataclass(frozen=True, order=True)
class _Run:
    """Text without a gap."""

    start: int
    end: int
    file: Path


def put_text(context: Context, job_id: str, attempt: int, offset: int, text: bytes) -> int:
    """Keep text at its position; of the same position the newest counts.

    Of what lies behind the first 8 MiB only the end is kept: between 8 and 16 MiB.

    Args:
        context: Knows the folder.
        job_id: Of the job; it exists.
        attempt: Whose log it is.
        offset: Where the text begins.
        text: May be empty.

    Returns:
        Where the text ends that is there without a gap from the offset on.

    Raises:
        ProblemError: `invalid`: there are too many gaps.
        StoreError: The disk refuses.
    """
    folder = context.logs / job_id / str(attempt)
    if text:
        _make(folder)
    with _locked(folder, fcntl.LOCK_EX):
        beginning = text[: max(0, LOG_START_BYTES - offset)]
        rest = text[len(beginning) :]
        if beginning:
            _join(folder, offset, beginning, is_beginning=True)
        if rest:
            _join(folder, offset + len(beginning), rest, is_beginning=False)
            _trim(folder)
        end = offset + len(text)
        for run in _runs(folder):
            if run.start <= end < run.end:
                end = run.end
    return end


def read_range(
    context: Context,
    job_id: str,
    attempt: int | None = None,
    offset: int = 0,
    limit_bytes: int = MAX_LOG_BYTES,
) -> LogText | None:
    """Read text from a position on.

    Args:
        context: Knows the folder.
        job_id: Of the job.
        attempt: Whose log; None: of the newest that has one.
        offset: Where to begin; in a gap the text behind it is read.
        limit_bytes: The most to read.

    Returns:
        The text up to the next gap; empty at the end. None when nothing of that log has come.

    Raises:
        StoreError: The disk refuses.
    """
    return _read(context, job_id, attempt, lambda runs: _place(runs, offset, limit_bytes))


def read_tail(
    context: Context, job_id: str, attempt: int | None = None, size_bytes: int = 2**14
) -> LogText | None:
    """Read the end of a log, from the beginning of a line on.

    Args:
        context: Knows the folder.
        job_id: Of the job.
        attempt: Whose log; None: of the newest that has one.
        size_bytes: The most to read.

    Returns:
        As `read_range`.

    Raises:
        StoreError: The disk refuses.
    """

    def place(runs: list[_Run]) -> tuple[_Run, int, int]:
        last = runs[-1]
        return last, max(last.start, last.end - size_bytes), last.end

    found = _read(context, job_id, attempt, place)
    if found is None or len(found.text) < max(1, size_bytes):
        return found
    # Of a line that is longer than all, its end is shown.
    cut = (found.text.find(b"\n") + 1) % len(found.text)
    return LogText(found.attempt, found.offset + cut, found.size, found.text[cut:])


def attempts_with_log(context: Context, job_id: str) -> list[int]:
    """The attempts of a job of whose logs something has come, oldest first.

    Args:
        context: Knows the folder.
        job_id: Of the job.
    """
    try:
        folders = list((context.logs / job_id).iterdir())
    except FileNotFoundError:
        return []
    return sorted(int(folder.name) for folder in folders if _runs(folder))


def _read(
    context: Context,
    job_id: str,
    attempt: int | None,
    place: Callable[[list[_Run]], tuple[_Run, int, int]],
) -> LogText | None:
    if attempt is None:
        attempt = max(attempts_with_log(context, job_id), default=None)
    if attempt is None:
        return None
    folder = context.logs / job_id / str(attempt)
    with _locked(folder, fcntl.LOCK_SH):
        runs = _runs(folder)
        if not runs:
            return None
        run, start, end = place(runs)
        with run.file.open("rb") as stream:
            stream.seek(start - run.start)
            text = stream.read(max(0, end - start))
    return LogText(attempt, start, runs[-1].end, text)


def _place(runs: list[_Run], offset: int, limit_bytes: int) -> tuple[_Run, int, int]:
    for run in runs:
        if run.end > offset:
            start = max(offset, run.start)
            return run, start, min(run.end, start + limit_bytes)
    end = runs[-1].end
    return runs[-1], end, end


def _runs(folder: Path) -> list[_Run]:
    """The runs of a log, in order; those that a killed hub did not get to join may overlap."""
    if not folder.is_dir():
        return []
    found = [file for file in folder.iterdir() if file.suffix == SUFFIX]
    starts = [int(file.stem) for file in found]
    return sorted(
        _Run(start, start + file.stat().st_size, file)
        for start, file in zip(starts, found, strict=True)
    )


def _join(folder: Path, start: int, text: bytes, *, is_beginning: bool) -> None:
    """Write text, and make one run of it and of those that it touches."""
    end = start + len(text)
    runs = [run for run in _runs(folder) if (run.start < LOG_START_BYTES) == is_beginning]
    touched = [run for run in runs if run.start <= end and start <= run.end]
    if not touched and len(runs) >= MOST_RUNS:
        raise ProblemError("invalid", f"the log has more than {MOST_RUNS} gaps")
    behind = b""
    if touched and touched[-1].end > end:
        behind = _content(touched[-1], from_position=end)
    first = touched[0] if touched and touched[0].start <= start else None
    begin = start if first is None else first.start
    kept = folder / f"{begin}{SUFFIX}"
    opened = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "wb") as stream:
        stream.seek(start - begin)
        stream.write(text)
        if first is None or first is not touched[-1]:
            stream.write(behind)
    for run in touched:
        if run.file != kept:
            run.file.unlink()


def _trim(folder: Path) -> None:
    """Drop what no longer belongs to the end; what is copied was as much written before."""
    runs = [run for run in _runs(folder) if run.start >= LOG_START_BYTES]
    kept_from = runs[-1].end - LOG_END_BYTES
    for run in runs:
        if run.start >= kept_from - LOG_END_BYTES and run.end > kept_from:
            continue
        if run.end > kept_from:
            opened = os.open(
                folder / f"{kept_from}{SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(opened, "wb") as stream:
                stream.write(_content(run, from_position=kept_from))
        run.file.unlink()


def _content(run: _Run, from_position: int) -> bytes:
    with run.file.open("rb") as stream:
        stream.seek(from_position - run.start)
        return stream.read()


def _make(folder: Path) -> None:
    try:
        for made in (folder.parent.parent, folder.parent, folder):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    """One writer at a time: the same call may come again before the first one has ended."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield  # no text has come: there is nothing to keep apart
        return
    try:
        fcntl.flock(opened, kind)
        yield
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror or error}") from error
    finally:
        os.close(opened)
