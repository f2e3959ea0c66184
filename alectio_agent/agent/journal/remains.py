"""What is left of an agent that does not run, read from its state folder; nothing is changed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from alectio_agent.agent.journal.by_hand import Entry, entries
from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.history import JOURNAL, PastJob, past_jobs
from alectio_agent.agent.journal.last_life import End, last_life
from alectio_agent.agent.journal.outbox import MANIFEST, Manifest, Outbox
from alectio_agent.agent.journal.rows import SCHEMA_NUMBER
from alectio_agent.core.errors import StoreError
from alectio_agent.core.sqlite import reading

OUTBOX, IDENTITY = "outbox", "identity.json"
MOST_JOBS = 1000
MOST_PROBLEMS = 5


@dataclass(frozen=True)
class Remains:
    """A state folder without an agent.

    Attributes:
        end: How the last life ended; `unknown` when that cannot be told.
        last_sign: The newest trace of a life; None without any.
        started: When the newest life began; None when that cannot be told.
        boot: How many lives there were; None when that cannot be told.
        open_jobs: That were begun and have a step left to do.
        waiting: What was not acknowledged, or was refused; without a journal, one for each result
            in the outbox, as its next start would find it.
        problems: What cannot be used, and why.
    """

    end: End
    last_sign: datetime | None
    started: datetime | None
    boot: int | None
    open_jobs: list[PastJob] = field(default_factory=list)
    waiting: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def has_agent(folder: Path) -> bool:
    """Whether an agent has ever worked in a state folder, however damaged it is by now.

    Args:
        folder: May be missing.
    """
    return any((folder / name).exists() for name in (JOURNAL, IDENTITY, OUTBOX))


def read_remains(folder: Path) -> Remains:
    """Look at everything that can be read.

    Args:
        folder: A state folder.
    """
    problems: list[str] = []
    boot = _boot(folder / IDENTITY, problems)
    jobs, waiting = _rows(folder, problems)
    life = last_life(folder)
    return Remains(
        end=life.end,
        last_sign=life.last_sign,
        started=_started(folder / IDENTITY),
        boot=boot,
        open_jobs=[job for job in jobs if job.state == "open"],
        waiting=waiting,
        problems=problems,
    )


def found_results(folder: Path, problems: list[str]) -> list[Manifest]:
    """The complete results in an outbox, without asking the journal.

    Args:
        folder: The state folder.
        problems: Gets a line for each that cannot be used.
    """
    outbox = Outbox(_Looking(), folder / OUTBOX)
    found = []
    for each in _folders(folder / OUTBOX, problems):
        if outbox.is_set_aside(each):
            problems.append(f"{each}: set aside as damaged")
            continue
        try:
            manifest = outbox.read(each)
        except StoreError as error:
            problems.append(error.message)
            continue
        if manifest is not None:
            found.append(manifest)
    return found


def broken_files(folder: Path, waiting: Iterable[Entry]) -> Iterator[str]:
    """Results that wait and cannot be sent as they lie on the disk, each in a line.

    Args:
        folder: The state folder.
        waiting: From its journal.
    """
    outbox = Outbox(_Looking(), folder / OUTBOX)
    for entry in waiting:
        if entry.kind != "commit" or entry.step is None:
            continue
        result = outbox.result_folder(entry.lease, entry.step)
        try:
            manifest = outbox.read(result)
        except StoreError as error:
            yield error.message
            continue
        if manifest is None:
            yield f"{result / MANIFEST}: gone, while the result of {entry.job} waits"
            continue
        for part, name in zip(manifest.commit.parts, manifest.files, strict=False):
            file = result / name
            if not file.is_file() or file.stat().st_size != part.bytes:
                yield f"{file}: not the {part.bytes:,} bytes that were written"


def _rows(folder: Path, problems: list[str]) -> tuple[list[PastJob], list[Entry]]:
    file = folder / JOURNAL
    try:
        if not file.is_file() or file.stat().st_size == 0:
            problems.append(f"{file}: gone; the next start makes it anew from the outbox")
            return [], _without_journal(folder, problems)
        with reading(file, SCHEMA_NUMBER) as run:
            if not run("SELECT 1 FROM sqlite_master WHERE name = 'messages'"):
                return [], []  # killed while it made its tables
            waiting = entries(run)
        jobs = past_jobs(folder, MOST_JOBS)
    except (StoreError, OSError, ValueError) as error:
        problems.append(error.message if isinstance(error, StoreError) else f"{file}: {error}")
        return [], _without_journal(folder, problems)
    with suppress(OSError):
        for number, line in enumerate(broken_files(folder, waiting)):
            if number < MOST_PROBLEMS:
                problems.append(line)
    return jobs, waiting


def _without_journal(folder: Path, problems: list[str]) -> list[Entry]:
    return [
        Entry(
            id=number,
            key=found.commit.key,
            kind="commit",
            step=found.step,
            state="pending",
            reason="",
            created_at=found.commit.finished_at,
            ended_at=None,
            lease=found.lease,
            job=found.job,
            job_id=found.job_id,
            platform_id=found.platform_id,
            attempt=found.origin.attempt if found.origin else 1,
            size_bytes=len(found.text.encode()) + sum(part.bytes for part in found.commit.parts),
        )
        for number, found in enumerate(found_results(folder, problems), 1)
    ]


def _boot(file: Path, problems: list[str]) -> int | None:
    try:
        return int(json.loads(file.read_bytes())["boot"]["count"])
    except FileNotFoundError:
        problems.append(f"{file}: gone; to the platform the next start is a new agent")
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(f"{file}: not the identity that an agent wrote ({error})")
    return None


def _started(identity: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(identity.lstat().st_mtime, UTC)
    except OSError:
        return None


def _folders(folder: Path, problems: list[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(f"{folder}: {error.strerror}")
        return []


class _Looking(SystemDisk):
    """The machine's own files, for who only looks: `Outbox` makes its folder otherwise."""

    def make_folder(self, folder: Path, *, is_synced: bool = True) -> None:
        """Make nothing."""
