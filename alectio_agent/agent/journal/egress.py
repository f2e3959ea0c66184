"""`egress.db`: everything that leaves the site is written down here before it leaves."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from alectio_agent.agent.journal.aside import beside, has_content, move_aside
from alectio_agent.agent.journal.egress_chain import RowCallback, Run, append, fold_hours, prune
from alectio_agent.agent.journal.egress_counts import EgressCounts, hour_of
from alectio_agent.agent.journal.egress_rows import (
    FILE,
    MIGRATIONS,
    NAMES,
    SCHEMA,
    SCHEMA_NUMBER,
    joined,
)
from alectio_agent.agent.journal.outgoing import About, Way
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import StoreDamagedError, StoreError, StoreUnavailableError
from alectio_agent.core.sqlite import Database, reading

log = logging.getLogger(__name__)

MOST_KNOWN = 1000
"""Jobs whose name is remembered; those in hand are among the newest."""
LOG_BYTES = 4 * 2**20
"""Above this SQLite's write-ahead log is folded into the file."""
UNCLOSED = "the life before did not close the record: a power cut may have cost its last minute"
Given = TypeVar("Given")


class EgressRecord:
    """The agent's record of what left; see `Record`. Called from any thread.

    A row is in SQLite's log when `begin` returns: a crash of the agent cannot lose it. The disk is
    synced within a minute, by `keep`, since each step would wait for it otherwise.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        keep_s: float,
        life: str,
        on_row: RowCallback | None = None,
    ) -> None:
        """Open the record, or begin one; a damaged one is moved aside.

        Args:
            folder: `agent.state_dir`, which is locked.
            clock: For the times of rows.
            keep_s: How long rows stay.
            life: Which one of the agent this is, such as `boot 7`.
            on_row: Told of each row and its hash, as `audit.journald` has it.

        Raises:
            StoreVersionError: A newer version wrote it.
            StoreError: It cannot be written.
        """
        self._file, self._clock, self._keep_s = folder / FILE, clock, keep_s
        self._on_row = on_row
        self._lock = threading.RLock()
        self._counts = EgressCounts()
        self._names: dict[str, str] = {}
        self._owed: list[tuple[int, str]] = []
        self._is_dirty = self._is_in_trouble = False
        self.on_trouble: Callable[[StoreUnavailableError], object] = _nobody
        self.on_fine: Callable[[], object] = _nothing
        note = self._look()
        try:
            self._database = self._open()
        except StoreDamagedError as error:
            note = self._move_aside(error.message)
            self._database = self._open()
        try:
            self._write(lambda run: self._write_start(run, life, note))
        except BaseException:
            self._database.close()
            raise

    def begin(self, about: About, way: Way, size_bytes: int, sha256: str) -> int:
        """Write down a call that is about to leave; see `Record`."""
        if about.is_counted:
            self._counts.add(about, way, size_bytes, self._clock.now())
            return 0
        return self._write(
            lambda run: self._append(
                run,
                "call",
                target=way.target,
                via=way.via,
                call=about.call,
                job=self._names.get(about.job_id, about.job_id) or None,
                step=about.step or None,
                size_bytes=size_bytes,
                sha256=sha256,
                fields=joined(about.fields),
                samples=about.samples,
            )
        )

    def end(self, row: int, text: str) -> None:
        """Write down how a call ended; what the disk refuses is written before the next row."""
        if not row:
            return
        with self._lock:
            self._owed.append((row, text))
        with suppress(StoreError):
            self._write(_nothing_more)

    def know(self, job_id: str, job: str) -> None:
        """Remember what people call a job; see `Record`."""
        with self._lock:
            self._names[job_id] = job
            if len(self._names) > MOST_KNOWN:
                del self._names[next(iter(self._names))]

    def keep(self, now: datetime) -> None:
        """Put the counts into the file, let old rows go, and sync the disk; once a minute.

        Args:
            now: By a clock that cannot be put forward: rows go by it.

        Raises:
            StoreError: Not now; nothing is lost.
        """
        hour = hour_of(self._clock.now())
        forget = self._write(lambda run: self._write_counts(run, hour))
        forget()
        self._write(lambda run: prune(run, self._append, now, self._keep_s))
        self._sync()

    def close(self) -> None:
        """Write down what was counted, and end the record of this life."""
        with suppress(StoreError):
            self._write(lambda run: self._write_counts(run, None))()
            self._write(lambda run: self._append(run, "stop"))
            self._sync()
        self._database.close()

    def _write_counts(self, run: Run, hour: str | None) -> Callable[[], None]:
        forget = self._counts.write(run)
        fold_hours(run, self._append, hour)
        return forget

    def _write(self, work: Callable[[Run], Given]) -> Given:
        """Do something in one transaction, behind outcomes that are owed."""
        with self._lock:
            try:
                given = self._try(work)
            except StoreDamagedError as error:
                # What is being torn now cannot take rows; a new chain names the break.
                self._renew(error)
                given = self._try(work)
            except StoreError as error:
                self._is_in_trouble = True
                refused = error if isinstance(error, StoreUnavailableError) else _refused(error)
                self.on_trouble(refused)
                raise refused from error
            if self._is_in_trouble:
                self._is_in_trouble = False
                self.on_fine()
            return given

    def _try(self, work: Callable[[Run], Given]) -> Given:
        told: list[tuple[Any, bytes]] = []
        self._told = told
        with self._database.transaction(is_synced=False) as run:
            for row, text in self._owed:
                self._append(run, "outcome", of=row, text=text)
            given = work(run)
        self._owed.clear()
        self._is_dirty = self._is_dirty or bool(told)
        if self._on_row is not None:
            for row, digest in told:
                self._on_row(row, digest)
        return given

    def _append(self, run: Run, kind: str, **columns: Any) -> int:
        row, digest = append(run, timestamp(self._clock.now()), kind, columns)
        self._told.append((row, digest))
        return row.id

    def _write_start(self, run: Run, life: str, note: str) -> None:
        last = run("SELECT kind FROM kept ORDER BY id DESC LIMIT 1")
        if last and last[0]["kind"] != "stop":
            note = UNCLOSED
        fold_hours(run, self._append, None)
        self._append(run, "start", text="; ".join(filter(None, (life, note))))

    def _look(self) -> str:
        """Move aside what is no record; what a new one says of it."""
        if not has_content(self._file):
            if not has_content(beside(self._file, "-wal")):
                return "a new record: none was here"
            return self._move_aside(f"{self._file}: gone, but not its write-ahead log")
        try:
            with reading(self._file, SCHEMA_NUMBER) as run:
                if missing := _missing_tables(run):
                    raise StoreDamagedError(f"{self._file}: its tables are gone: {missing}")  # noqa: TRY301 - the same mend
        except StoreDamagedError as error:
            return self._move_aside(error.message)
        return ""

    def _open(self) -> Database:
        database = Database(self._file, SCHEMA, SCHEMA_NUMBER, migrations=MIGRATIONS)
        database.query("PRAGMA wal_autocheckpoint=0")  # it syncs, in the midst of a call
        return database

    def _renew(self, error: StoreDamagedError) -> None:
        self._database.close()
        note = self._move_aside(error.message)
        self._database = self._open()
        self._try(lambda run: self._write_start(run, "", note))

    def _move_aside(self, why: str) -> str:
        target = move_aside(self._file, self._clock)
        log.error("E-DISK-09  %s. Kept as %s; a new record begins, and says so", why, target.name)
        return f"the record before was damaged, and is kept as {target.name}"

    def _sync(self) -> None:
        with self._lock:
            is_dirty, self._is_dirty = self._is_dirty, False
        if not is_dirty:
            return
        journal = beside(self._file, "-wal")
        try:
            # Without the lock: calls go on meanwhile.
            with journal.open("rb") as opened:
                os.fsync(opened.fileno())
            if journal.stat().st_size > LOG_BYTES:
                self._database.query("PRAGMA wal_checkpoint(PASSIVE)")
        except OSError as error:
            self._is_dirty = True
            raise StoreError(f"{journal}: {error.strerror or error}") from error


def _missing_tables(run: Run) -> str:
    names = {row["name"] for row in run("SELECT name FROM sqlite_master")}
    expected = NAMES[max(1, int(run("PRAGMA user_version")[0][0]))]
    return ", ".join(sorted(expected - names)) if names else ""


def _refused(error: StoreError) -> StoreUnavailableError:
    return StoreUnavailableError(error.message, hint=error.hint, code=error.code)


def _nothing_more(_run: Run) -> None:
    """Outcomes are all there is to write."""


def _nobody(_error: StoreUnavailableError) -> None:
    """Before somebody tells who waits for the disk."""


def _nothing() -> None:
    """The same."""
