"""A pause of this agent by a person: a file in the state folder, over restarts and reboots."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from alectio_agent.agent.journal.disk import Disk
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import StoreError
from alectio_agent.core.log import printable
from alectio_agent.wire.strict_json import JsonRuleError, loads

log = logging.getLogger(__name__)

FILE = "paused.json"
SCHEMA = 1
GO_ON = "alectio-agent resume"
SHORT = timedelta(minutes=10)
"""What is shorter is told to the second."""
UNREADABLE = f"{FILE} cannot be read"


class Pause(BaseModel):
    """The content of the file.

    Attributes:
        since: When it began.
        until: When it ends by itself; None for never.
        note: Why, for people on this machine.
    """

    model_config = ConfigDict(frozen=True)

    since: AwareDatetime
    until: AwareDatetime | None = None
    note: str = ""
    schema_number: int = SCHEMA

    @property
    def words(self) -> str:
        """For people, in local time."""
        note = f" ({printable(self.note)})" if self.note else ""
        return f"paused since {_local(self.since)}{until_words(self.since, self.until)}{note}"

    def members(self) -> dict[str, Any]:
        """As answers tell it."""
        until = None if self.until is None else timestamp(self.until)
        return {"since": timestamp(self.since), "until": until, "note": self.note}


class Pauses:
    """Whether this agent is paused; from any thread."""

    def __init__(self, disk: Disk, folder: Path, clock: Clock) -> None:
        """Go on with the pause that the file tells of.

        A pause with an end lasts no longer than it was asked for, counted from this start, however
        the machine's clock was put meanwhile. While the process lives the clock does not count at
        all. A file that cannot be read is a pause: somebody wanted one.

        Args:
            disk: Where the file lies.
            folder: The state folder.
            clock: For both.
        """
        self._disk, self._file, self._clock = disk, folder / FILE, clock
        self._lock = threading.Lock()
        self._pause: Pause | None = None
        self._ends_s: float | None = None
        self.on_change: Callable[[], None] = _nothing
        content = disk.read(self._file)
        if content is not None:
            self._take(_parse(content, clock.now()))

    @property
    def current(self) -> Pause | None:
        """The pause; None when there is none, or no longer."""
        with self._lock:
            if self._ends_s is not None and self._clock.monotonic() >= self._ends_s:
                self._drop_expired()
            return self._pause

    def is_paused(self) -> bool:
        """Whether no job may begin."""
        return self.current is not None

    def reason(self) -> str:
        """Why no job may begin, and what ends it; empty when one may."""
        pause = self.current
        return "" if pause is None else f"{pause.words}. Go on: {GO_ON}"

    def begin(self, length_s: float | None, note: str) -> Pause:
        """Pause, durably, in place of a pause that is there.

        Args:
            length_s: None for no end.
            note: For people; may be empty.

        Raises:
            StoreError: It cannot be written; nothing has changed.
        """
        now = self._clock.now()
        until = None if length_s is None else now + timedelta(seconds=length_s)
        pause = Pause(since=now, until=until, note=note)
        self._disk.write(self._file, pause.model_dump_json(indent=1).encode())
        with self._lock:
            self._pause = pause
            self._ends_s = None if length_s is None else self._clock.monotonic() + length_s
        self.on_change()
        return pause

    def end(self) -> Pause | None:
        """End the pause, durably.

        Returns:
            The one that was; None when there was none.

        Raises:
            StoreError: The file cannot be removed; nothing has changed.
        """
        before = self.current
        self._disk.remove(self._file)
        self._disk.sync_folder(self._file.parent)
        with self._lock:
            self._pause = self._ends_s = None
        self.on_change()
        return before

    def _take(self, pause: Pause) -> None:
        if pause.until is None:
            self._pause = pause
            return
        asked_s = (pause.until - pause.since).total_seconds()
        left_s = min(asked_s, (pause.until - self._clock.now()).total_seconds())
        self._pause, self._ends_s = pause, self._clock.monotonic() + left_s

    def _drop_expired(self) -> None:
        self._pause = self._ends_s = None
        try:
            self._disk.remove(self._file)
        except StoreError as error:  # the next start finds that it is over as well
            log.warning("%s", error)


def read_pause(disk: Disk, folder: Path, clock: Clock) -> Pause | None:
    """The pause of an agent that does not run; nothing is changed.

    Args:
        disk: Where the file lies.
        folder: The state folder.
        clock: Tells whether it is over.

    Raises:
        StoreError: The file may not be read.
    """
    content = disk.read(folder / FILE)
    if content is None:
        return None
    pause = _parse(content, clock.now())
    return None if pause.until is not None and pause.until <= clock.now() else pause


def until_words(begin: datetime | str, end: datetime | str | None) -> str:
    """When a pause ends, for people, in local time.

    Args:
        begin: A moment, also as answers tell it.
        end: The same; None for never.

    Returns:
        Such as ` until 2026-01-31 09:05`, of a short one with seconds; empty for never.
    """
    if end is None:
        return ""
    since, until = _moment(begin), _moment(end)
    seconds = f"{until.astimezone():%S}" if until - since < SHORT else ""
    return f" until {_local(until)}{':' if seconds else ''}{seconds}"


def _moment(told: datetime | str) -> datetime:
    return datetime.fromisoformat(told) if isinstance(told, str) else told


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def _parse(content: bytes, now: datetime) -> Pause:
    try:
        pause = Pause.model_validate(loads(content))
    except (JsonRuleError, ValidationError):
        return Pause(since=now, note=UNREADABLE)
    return pause if pause.schema_number <= SCHEMA else Pause(since=now, note=UNREADABLE)


def _nothing() -> None:
    """Nobody wants to know."""
