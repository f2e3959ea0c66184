"""What the disk refuses at the moment, and who waits for it; said once, not at each try."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.journal.reserve import Reserve
from alectio_agent.core.disk_errors import try_room
from alectio_agent.core.errors import StoreError, StoreFullError, StoreUnavailableError
from alectio_agent.core.log import job_logger, printable

log = logging.getLogger(__name__)

AGAIN_S = 5.0
"""Between two tries to write to a disk that refuses."""
CLAIMS = "asking for jobs"
FIRST_ROOM_BYTES = 2**20
MOST_ROOM_BYTES = 64 * 2**20
"""No claim is larger."""


@dataclass(frozen=True)
class Storage:
    """Where the agent writes.

    Attributes:
        folder: The state folder.
        reserve: Let go when a result finds no room.
        try_journal: Writes to the journal, to see whether that works.
    """

    folder: Path
    reserve: Reserve
    try_journal: Callable[[], None]


class DiskTrouble:
    """One for the whole agent; called from any thread."""

    def __init__(self, storage: Storage | None = None) -> None:
        """Start without trouble.

        Args:
            storage: Where the agent writes; None: nothing is tried there.
        """
        self._storage = storage
        self._lock = threading.Lock()
        self._waiting: dict[str, str] = {}
        self._said: set[type[StoreUnavailableError]] = set()
        self._room_bytes = FIRST_ROOM_BYTES
        self.on_full: Callable[[], None] = _nobody_makes_room

    @property
    def text(self) -> str:
        """Who waits for the disk, and why; empty without trouble."""
        with self._lock:
            return next((f"{who} waits: {why}" for who, why in self._waiting.items()), "")

    def is_met_by(self, who: str) -> bool:
        """Whether somebody waits for the disk.

        Args:
            who: As told to `met`.
        """
        with self._lock:
            return who in self._waiting

    def met(self, who: str, error: StoreUnavailableError, *, after_work: bool = False) -> float:
        """Note that a write did not go through, and will be tried again.

        Args:
            who: Waits for it: a job, or a part of the agent.
            error: What the disk said.
            after_work: Something computed, or acknowledged, is lost with it: what is set aside for
                that is given up.

        Returns:
            Seconds to wait before the next try.
        """
        with self._lock:
            is_news = type(error) not in self._said
            self._said.add(type(error))
            self._waiting[who] = printable(f"{error.code} {error.message}")
            if who == CLAIMS:
                self._room_bytes = min(2 * self._room_bytes, MOST_ROOM_BYTES)
        if is_news:
            _say(who, error)
        if not isinstance(error, StoreFullError):
            return AGAIN_S
        self.on_full()
        if after_work and self._storage is not None and self._storage.reserve.give():
            return 0.0
        return AGAIN_S

    def over(self, who: str) -> None:
        """Note that the disk took what somebody waited with; nothing happens when nobody did.

        Args:
            who: As told to `met`.
        """
        if who == CLAIMS:
            self._room_bytes = FIRST_ROOM_BYTES
        self._end(who)

    def reason(self) -> str:
        """Why no job may be asked for; empty when nothing speaks against it.

        A claim that could not be journalled leaves nobody who tries again: that is done here, and
        with more room each time, since a claim can be large.
        """
        if self.is_met_by(CLAIMS) and self._takes_claims():
            self._end(CLAIMS)
        with self._lock:
            return next(iter(self._waiting.values()), "")

    def _end(self, who: str) -> None:
        with self._lock:
            if self._waiting.pop(who, None) is None or self._waiting:
                return
            self._said.clear()
        log.info("the disk takes again what is written")

    def _takes_claims(self) -> bool:
        if self._storage is None:
            return True
        if try_room(self._storage.folder, self._room_bytes) is not None:
            return False
        try:
            self._storage.try_journal()
        except StoreError:
            return False
        return True


def _say(who: str, error: StoreUnavailableError) -> None:
    if "/" in who:
        job_logger(log, who).warning("waits, and loses nothing: %s", error)
    else:
        log.warning("%s waits, and loses nothing: %s", who, error)


def _nobody_makes_room() -> None:
    """Before a keeper is there."""
