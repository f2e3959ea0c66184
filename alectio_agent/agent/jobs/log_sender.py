"""Sends what the hooks print, as well as it can: no job, no result and no stop waits for it."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.verdicts import rule
from alectio_agent.agent.jobs.share import Shares
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import PlatformError, PlatformUnavailableError
from alectio_agent.core.log import job_logger
from alectio_agent.core.sparse import data_end
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.protocol import LOG_END_BYTES, LOG_START_BYTES

log = logging.getLogger(__name__)

IDLE_S = 3600.0
EVERY_S = 2.0
"""While a job runs, what is new is sent this seldom, or as soon as it is much."""
MUCH_BYTES = 64 * 2**10
PIECE_BYTES = 256 * 2**10
NOT_SERVED = frozenset({404, 405, 501})
MOST_REFUSALS = 3
"""A platform that answers so often that there is no such call has none."""
MOST_KEPT = 16
"""Jobs that are over and whose log has not arrived; the oldest is given up for another."""


@dataclass
class _Followed:
    """The log of one attempt.

    `sent`: where the platform's text ends; None until it was asked. `due`: by the monotonic clock.
    `is_live`: its beginning is sent while the job runs. `is_over`: the job is over here, and only
    the rest of its log is to be sent.
    """

    claim: Claim
    file: Path
    sent: int | None
    due: float
    is_live: bool
    is_over: bool = False
    refusals: int = 0


class LogSender:
    """A step object: one turn sends one piece of one log. Other methods: from any thread."""

    def __init__(
        self, client: PlatformClient, shares: Shares, clock: Clock, backoff: Backoff
    ) -> None:
        """Start without logs.

        Args:
            client: On a connection of its own.
            shares: Say how much of logs may leave the site.
            clock: For when to look again.
            backoff: Of sending.
        """
        self._client = client
        self._shares = shares
        self._clock = clock
        self._backoff = backoff
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}
        self.wake = threading.Event()

    @property
    def is_idle(self) -> bool:
        """Whether all that may be sent has arrived, or was given up."""
        with self._lock:
            return not self._followed

    @property
    def files(self) -> set[Path]:
        """Those that are followed: they must stay."""
        with self._lock:
            return {held.file for held in self._followed.values()}

    @property
    def is_failing(self) -> bool:
        """Whether the last piece did not arrive."""
        return self._backoff.failures > 0

    @property
    def trouble(self) -> str:
        """Why nothing arrives, after three failures in a row; empty before."""
        return self._backoff.trouble

    def follow(self, claim: Claim, file: Path) -> None:
        """Send what is printed into a file from now on.

        Args:
            claim: Of the job.
            file: Need not exist yet. Of one that holds text already, from an earlier life of the
                agent, the platform is asked how much it has.
        """
        level = self._shares.at(claim.pipeline).keys.logs
        if level == "none":
            return
        sent = 0 if _size(file) == 0 else None
        due = self._clock.monotonic() + EVERY_S
        with self._lock:
            self._followed[claim.lease] = _Followed(claim, file, sent, due, is_live=level == "full")
        self.wake.set()

    def end(self, lease: str) -> None:
        """Send the rest of a log: the job is over here, however it ended."""
        with self._lock:
            found = self._followed.get(lease)
            if found is None:
                return
            found.is_over = True
            found.due = self._clock.monotonic()
            over = [held for held in self._followed.values() if held.is_over]
        for old in over[:-MOST_KEPT]:
            self._drop(old, "too many logs wait")
        self.wake.set()

    def hurry(self) -> None:
        """Try all that is left once more, now: the agent is about to stop."""
        self._backoff.succeeded()
        with self._lock:
            for held in self._followed.values():
                held.due = self._clock.monotonic()
        self.wake.set()

    def forget_all(self) -> None:
        """Send nothing more of the logs in hand."""
        with self._lock:
            self._followed.clear()

    def step(self) -> float:
        """Serve one log that is due.

        Returns:
            Seconds until the next is due.
        """
        now = self._clock.monotonic()
        with self._lock:
            due = next((held for held in self._followed.values() if held.due <= now), None)
        if due is not None:
            was_over = due.is_over
            wait_s = self._serve(due)
            with self._lock:
                if due.is_over == was_over:  # else it is due at once, as `end` said meanwhile
                    due.due = self._clock.monotonic() + wait_s
        with self._lock:
            next_due = min((held.due for held in self._followed.values()), default=now + IDLE_S)
        return max(0.0, next_due - self._clock.monotonic())

    def _serve(self, held: _Followed) -> float:
        """Send the next piece of a log; seconds until it wants to be served again."""
        try:
            wait_s = self._send(held)
        except OSError as error:
            self._drop(held, f"{held.file}: {error.strerror or error}")
            return 0.0
        except PlatformError as error:
            return self._failed(held, error)
        self._backoff.succeeded()
        return wait_s

    def _failed(self, held: _Followed, error: PlatformError) -> float:
        """Do what the table of rules says; seconds until the log wants to be served again."""
        action = rule("log", error)
        if action == "slow":
            return self._backoff.refused(error)
        if action == "drop" or self._is_not_served(held, error):
            self._drop(held, error.message)
        if action == "drop":
            self._backoff.succeeded()
            return 0.0
        return self._backoff.failed(error)

    def _send(self, held: _Followed) -> float:
        was_over = held.is_over
        size = _size(held.file)
        if held.sent is None and size > 0:
            held.sent = self._put(held, 0, b"")
            return 0.0
        start, end = _wanted(held, size, is_over=was_over)
        if start >= end:
            if was_over:
                self._forget(held)
            return EVERY_S
        start, piece = _read(held.file, start, min(end - start, PIECE_BYTES))
        sent = start + len(piece)
        held.sent = max(sent, self._put(held, start, piece)) if piece else sent
        return 0.0 if was_over or end - sent >= MUCH_BYTES else EVERY_S

    def _put(self, held: _Followed, offset: int, text: bytes) -> int:
        claim = held.claim
        return self._client.put_log(claim.job_id, claim.lease, claim.attempt, offset, text)

    def _is_not_served(self, held: _Followed, error: PlatformError) -> bool:
        if isinstance(error, PlatformUnavailableError) and error.status in NOT_SERVED:
            held.refusals += 1
        return held.refusals >= MOST_REFUSALS

    def _drop(self, held: _Followed, reason: str) -> None:
        self._forget(held)
        claim = held.claim
        job_logger(log, claim.job, claim.attempt).debug("its log is not sent: %s", reason)

    def _forget(self, held: _Followed) -> None:
        with self._lock:
            if self._followed.get(held.claim.lease) is held:
                del self._followed[held.claim.lease]


def _wanted(held: _Followed, size: int, *, is_over: bool) -> tuple[int, int]:
    """Which part of a file is sent next: its beginning at once, its end when it has one."""
    sent = held.sent or 0
    if held.is_live and sent < LOG_START_BYTES:
        return sent, min(size, LOG_START_BYTES)
    return (max(sent, size - LOG_END_BYTES), size) if is_over else (sent, sent)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _read(file: Path, start: int, size: int) -> tuple[int, bytes]:
    """The next piece and where it begins: what was dropped of a long log is not sent as zeros."""
    with file.open("rb") as stream:
        begin, end = data_end(stream.fileno(), start, start + size)
        stream.seek(begin)
        return begin, stream.read(end - begin)
