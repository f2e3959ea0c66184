"""Keeps the leases of all jobs alive, from the first hook to the last acknowledgement."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.verdicts import rule, what_is
from alectio_agent.agent.jobs.disk_trouble import AGAIN_S, DiskTrouble
from alectio_agent.agent.jobs.step_marks import Noted
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import LeaseLostError, PlatformError, StoreUnavailableError
from alectio_agent.core.log import job_logger
from alectio_agent.wire.claims import Claim, Step
from alectio_agent.wire.results import Heartbeat, HeartbeatAnswer, Progress

log = logging.getLogger(__name__)

BEATS_PER_LEASE = 3
TRIES_PER_LEASE = 6
BEATS = "the end of a lease"
SHORTEST_LEASE_S = 1.0
"""A platform that says less would be beaten without a pause."""

Ending = Literal["lost", "cancelled"]


@dataclass
class _Held:
    """One lease and when it is next beaten."""

    claim: Claim
    on_end: Callable[[Ending, str], None]
    due: float
    beaten_s: float
    platform_id: str | None = None
    state: Literal["running", "delivering"] = "running"
    step: Step | None = None
    noted: Noted | None = None


class Heartbeats:
    """A step object; the other methods may be called from any thread."""

    def __init__(
        self, client: PlatformClient, clock: Clock, backoff: Backoff | None = None
    ) -> None:
        """Start without leases.

        Args:
            client: On a connection of its own.
            clock: For when a beat is due.
            backoff: Of beats that did not arrive.
        """
        self._client = client
        self._clock = clock
        self._backoff = backoff or Backoff(random.SystemRandom())
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._lease_s = 90.0
        self._platform_id: str | None = None
        self.confirm: Callable[[], None] = _believe
        self.on_fatal: Callable[[PlatformError], None] = _raise
        self.disk_trouble = DiskTrouble()
        self.wake = threading.Event()

    @property
    def trouble(self) -> str:
        """Why beats do not arrive, after three failures in a row; empty before, and without one."""
        with self._lock:
            return self._backoff.trouble if self._held else ""

    @property
    def lag_s(self) -> float:
        """How late the beat is that is owed the longest; 0 when all came through in time."""
        with self._lock:
            oldest_s = min((held.beaten_s for held in self._held.values()), default=None)
        if oldest_s is None:
            return 0.0
        owed_s = self._clock.monotonic() - oldest_s - self._lease_s / BEATS_PER_LEASE
        return max(0.0, owed_s)

    @property
    def longest_retry_s(self) -> float:
        """After a failure the next try comes within this, whatever the platform asks."""
        return self._lease_s / TRIES_PER_LEASE

    def set_lease(self, lease_s: float) -> None:
        """Take the length of a lease from the platform's answer."""
        self._lease_s = max(SHORTEST_LEASE_S, lease_s)

    def set_platform(self, platform_id: str) -> None:
        """Beat at this platform only; leases of another one wait until it answers again."""
        with self._lock:
            self._platform_id = platform_id
        self.wake.set()

    def serves(self, platform_id: str) -> bool:
        """Whether leases of a platform can be beaten now."""
        return self._platform_id in (None, platform_id)

    def holds(self, lease: str) -> bool:
        """Whether a lease is kept alive."""
        with self._lock:
            return lease in self._held

    def attempt_at(self, lease: str) -> int | None:
        """Which attempt a lease belongs to; None of one that is not kept alive."""
        with self._lock:
            held = self._held.get(lease)
            return None if held is None else held.claim.attempt

    def first_beat(self, claim: Claim) -> str | None:
        """Beat once, now: no hook runs before this has succeeded.

        Returns:
            The reason when the platform wants the job cancelled.

        Raises:
            LeaseLostError: The job belongs to somebody else.
            PlatformError: The beat did not arrive.
        """
        heartbeat = Heartbeat(step=claim.steps[0].step)
        answer = self._ask(claim, heartbeat)
        self._backoff.succeeded()  # those of the job before are nobody's trouble any more
        return answer.cancel

    def hold(self, claim: Claim, on_end: Callable[[Ending, str], None]) -> None:
        """Keep a lease alive.

        Args:
            claim: Of the job.
            on_end: Called once when the platform ends the lease.
        """
        now_s = self._clock.monotonic()
        due = now_s + self._lease_s / BEATS_PER_LEASE
        with self._lock:
            self._held[claim.lease] = _Held(claim, on_end, due, now_s, self._platform_id)
        self.wake.set()

    def note(self, lease: str, step: Step) -> None:
        """Remember which step is running, for the next beat."""
        with self._lock:
            if lease in self._held:
                self._held[lease].step = step
                self._held[lease].noted = None

    def note_progress(
        self, lease: str, done: float | None, total: float | None, numbers: dict[str, float]
    ) -> None:
        """Remember how far the running hook of a job says it is."""
        progress, now_s = Progress(done=done, total=total, numbers=numbers), self._clock.monotonic()
        with self._lock:
            held = self._held.get(lease)
            if held is not None and held.state == "running":
                held.noted = Noted.after(held.noted, progress, now_s)

    def noted(self, lease: str) -> Noted | None:
        """The newest progress of a running step; None when its hook said nothing."""
        with self._lock:
            held = self._held.get(lease)
            return None if held is None else held.noted

    def notice(self, error: PlatformError) -> None:
        """Let a verdict that ends the agent end it, also while a job is in hand."""
        if rule("beat", error) == "end":
            self.on_fatal(error)

    def deliver(self, lease: str) -> None:
        """Say from now on that only messages are left to send."""
        with self._lock:
            if lease in self._held:
                self._held[lease].state = "delivering"

    def release(self, lease: str) -> None:
        """Stop beating for a lease."""
        with self._lock:
            self._held.pop(lease, None)

    def end(self, lease: str, reason: str) -> None:
        """Treat a lease as lost, because a delivery was answered so."""
        with self._lock:
            held = self._held.get(lease)
        if held is not None:
            self._end(held, "lost", reason)

    def step(self) -> float:
        """Beat for one lease that is due.

        Returns:
            Seconds until the next beat is due.
        """
        now = self._clock.monotonic()
        due = next((held for held in self._beaten() if held.due <= now), None)
        if due is not None:
            try:
                self._beat(due)
            except StoreUnavailableError as error:
                self.disk_trouble.met(BEATS, error, after_work=True)
            else:
                self.disk_trouble.over(BEATS)
        next_due = min((held.due for held in self._beaten()), default=now + 3600)
        return max(0.0, next_due - self._clock.monotonic())

    def _beaten(self) -> list[_Held]:
        with self._lock:
            return [held for held in self._held.values() if held.platform_id == self._platform_id]

    def _ask(self, claim: Claim, heartbeat: Heartbeat) -> HeartbeatAnswer:
        try:
            return self._client.beat(claim.job_id, claim.lease, heartbeat)
        except LeaseLostError:
            self.confirm()  # that it is the job's own platform that says so
            raise

    def _beat(self, held: _Held) -> None:
        progress = held.noted.progress if held.noted else None
        heartbeat = Heartbeat(step=held.step, state=held.state, progress=progress)
        claim = held.claim
        try:
            answer = self._ask(claim, heartbeat)
        except PlatformError as error:
            self._failed(held, error)
        else:
            self._backoff.succeeded()
            held.beaten_s = self._clock.monotonic()
            held.due = held.beaten_s + self._lease_s / BEATS_PER_LEASE
            if answer.cancel is not None:
                self._end(held, "cancelled", answer.cancel)

    def _failed(self, held: _Held, error: PlatformError) -> None:
        if rule("beat", error) == "supersede":
            if held.state == "delivering" and what_is(error) == "job-closed":
                self.release(held.claim.lease)  # perhaps by its last commit, which tells itself
            else:
                self._end(held, "lost", error.message)
            return
        self.notice(error)
        wait_s = self._backoff.failed(error, most_s=self.longest_retry_s)
        held.due = self._clock.monotonic() + wait_s
        if self._backoff.is_news:
            claim = held.claim
            job_logger(log, claim.job, claim.attempt, held.step).warning(
                "heartbeat: %s", error.message
            )

    def _end(self, held: _Held, ending: Ending, reason: str) -> None:
        """Tell the holder, unless the lease was released while the beat was under way."""
        with self._lock:
            if self._held.pop(held.claim.lease, None) is not held:
                return
        try:
            held.on_end(ending, reason)
        except StoreUnavailableError:
            # It could not be noted down; the platform says so again at the next beat.
            held.due = self._clock.monotonic() + AGAIN_S
            with self._lock:
                self._held.setdefault(held.claim.lease, held)
            raise


def _believe() -> None:
    """Nobody knows better."""


def _raise(error: PlatformError) -> None:
    raise error
