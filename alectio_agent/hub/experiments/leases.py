"""Beats of leases and other contacts, in memory, by this process's own monotonic clock.

A hub that restarts has seen nothing: every lease gets a fresh period from its first look.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from alectio_agent.core.clock import Clock
from alectio_agent.wire.results import Heartbeat

COUNT_EVERY_S = 10.0
KEEP_EVERY_S = 300.0
"""Contacts lie in memory, and are written so often: they are for people to read."""


@dataclass
class _Watched:
    """One lease.

    `is_renewable`: the tables say that it is good, so that a beat need not ask them. `step_at` and
    `step_done`: when this process first heard of the running step, and how far it was then.
    """

    job_id: str
    agent_id: str
    seen_at: float
    is_renewable: bool = False
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    step_at: float = 0.0
    step_done: float | None = None

    def take(self, said: Heartbeat, now: float) -> bool:
        """Take a beat; whether it says anything new."""
        is_news, is_next = said != self.heartbeat, said.step != self.heartbeat.step
        self.seen_at, self.heartbeat = now, said
        done = None if said.progress is None else said.progress.done
        # A hook that counts a second round begins anew.
        if is_next or (done is not None and (self.step_done is None or done < self.step_done)):
            self.step_at, self.step_done = now, done
        return is_news


class Leases:
    """Who was last heard of when; safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        """Start without any contact.

        Args:
            clock: For periods, and for the time of contacts.
        """
        self._clock = clock
        self._lock = Lock()
        self._watched: dict[str, _Watched] = {}
        self._of_job: dict[str, set[str]] = {}
        self._waiting: dict[str, float] = {}
        self._contacts: dict[str, datetime] = {}
        self._counted, self._counted_of, self._counted_at = 0, 0, clock.now()
        self._kept_at = clock.now()
        self.may_have_claims = True
        self.are_seen = False
        """Whether this process has looked at all leases that it found in the tables."""
        self.beats = 0
        """Grows with every beat that says something new."""

    def renew(self, job_id: str, lease: str, heartbeat: Heartbeat) -> bool:
        """Take a beat without asking the tables.

        Args:
            job_id: That the beat is about.
            lease: That it carries.
            heartbeat: How far it is.

        Returns:
            Whether the lease is known to be good; if not, the tables must be asked.
        """
        with self._lock:
            watched = self._watched.get(lease)
            if watched is None or not watched.is_renewable or watched.job_id != job_id:
                return False
            self.beats += watched.take(heartbeat, self._clock.monotonic())
            self._contacts[watched.agent_id] = self._clock.now()
            return True

    def trust(self, job_id: str, lease: str, agent_id: str, heartbeat: Heartbeat) -> None:
        """The tables said that this lease is good: its next beats need not ask.

        Args:
            job_id: Of the lease's job.
            lease: Good.
            agent_id: Who holds it.
            heartbeat: The newest.
        """
        with self._lock:
            now = self._clock.monotonic()
            watched = self._watch(job_id, lease, agent_id, now)
            watched.is_renewable = True
            self.beats += watched.take(heartbeat, now)
            self.may_have_claims = True

    def see(self, job_id: str, lease: str, agent_id: str) -> None:
        """Begin a fresh period, without a beat.

        Args:
            job_id: Of the lease's job.
            lease: Just issued, or just named by its agent.
            agent_id: Who holds it.
        """
        with self._lock:
            watched = self._watch(job_id, lease, agent_id, 0.0)
            watched.seen_at = self._clock.monotonic()
            self._waiting.pop(job_id, None)
            self.may_have_claims = True

    def is_trusted(self, job_id: str, lease: str) -> bool:
        """Whether a lease is known to be good, so that the tables need not be asked.

        Args:
            job_id: That the call is about.
            lease: That it carries.
        """
        with self._lock:
            watched = self._watched.get(lease)
            return watched is not None and watched.is_renewable and watched.job_id == job_id

    def distrust(self, job_id: str) -> None:
        """Something about a job changed: the next beat of each of its leases asks the tables.

        Args:
            job_id: Of the job.
        """
        with self._lock:
            for lease in self._of_job.get(job_id, ()):
                self._watched[lease].is_renewable = False

    def drop(self, job_id: str) -> None:
        """Forget the leases of a job that is done.

        Args:
            job_id: Of the job.
        """
        with self._lock:
            for lease in self._of_job.pop(job_id, ()):
                del self._watched[lease]
            self._waiting.pop(job_id, None)

    def silent_s(self, job_id: str, lease: str, agent_id: str) -> float:
        """How long this process has seen a lease unchanged.

        Args:
            job_id: Of the lease's job.
            lease: Good, by the tables.
            agent_id: Who holds it.

        Returns:
            Seconds; 0 for one that this process never saw, which begins a period.
        """
        with self._lock:
            now = self._clock.monotonic()
            return now - self._watch(job_id, lease, agent_id, now).seen_at

    def silent_jobs(self, seconds: float) -> set[str]:
        """Jobs with a lease that this process has seen unchanged for so long.

        Args:
            seconds: More than that.
        """
        with self._lock:
            least = self._clock.monotonic() - seconds
            return {found.job_id for found in self._watched.values() if found.seen_at < least}

    def newest_beat(self, lease: str) -> Heartbeat | None:
        """The newest beat of a lease; None when this process heard none.

        Args:
            lease: Any.
        """
        with self._lock:
            watched = self._watched.get(lease)
            return watched.heartbeat if watched else None

    def left_s(self, lease: str) -> float | None:
        """How long the running step will take, if it goes on as this process has seen it.

        Args:
            lease: Any.

        Returns:
            Seconds from now; None while that cannot be known.
        """
        with self._lock:
            watched = self._watched.get(lease)
            told = None if watched is None else watched.heartbeat.progress
            if watched is None or told is None or told.done is None or told.total is None:
                return None
            went, took_s = told.done - (watched.step_done or 0.0), watched.seen_at - watched.step_at
            if watched.step_done is None or went <= 0 or took_s <= 0:
                return None
            since_s = self._clock.monotonic() - watched.seen_at
            return max(0.0, (told.total - told.done) * took_s / went - since_s)

    def offer(self, job_id: str) -> None:
        """A job became available now.

        Args:
            job_id: Of the job.
        """
        with self._lock:
            self._waiting[job_id] = self._clock.monotonic()

    def offer_to_all(self, job_id: str) -> None:
        """An available job waits no longer for the agents that hold its checkpoint.

        Args:
            job_id: Of the job.
        """
        with self._lock:
            self._waiting[job_id] = float("-inf")

    def waiting_since(self, job_id: str) -> float:
        """Since when this process has seen a job available.

        Args:
            job_id: Available, by the tables.

        Returns:
            By the monotonic clock; now for one that this process never saw, whose time begins.
        """
        with self._lock:
            return self._waiting.setdefault(job_id, self._clock.monotonic())

    def stay_awake(self) -> None:
        """Something has a time limit: the clock must be looked at."""
        with self._lock:
            self.may_have_claims = True

    def rest(self) -> None:
        """Nothing is claimed, and nothing else has a time limit, by the tables."""
        with self._lock:
            self.may_have_claims = False

    def note_seen(self) -> None:
        """All leases of the tables have begun their period."""
        self.are_seen = True

    def note_contact(self, agent_id: str) -> None:
        """An agent called.

        Args:
            agent_id: Who.
        """
        with self._lock:
            self._contacts[agent_id] = self._clock.now()

    def contacts(self) -> dict[str, datetime]:
        """Agents that called this process, and when they last did."""
        with self._lock:
            return dict(self._contacts)

    def take_contacts(self) -> dict[str, datetime]:
        """Contacts since the last call that gave any; none before some minutes have passed.

        Returns:
            Agent to moment, to be written into the tables.
        """
        with self._lock:
            now = self._clock.now()
            if now - self._kept_at < timedelta(seconds=KEEP_EVERY_S):
                return {}
            since, self._kept_at = self._kept_at, now
            return {agent_id: at for agent_id, at in self._contacts.items() if at >= since}

    def called_within(self, seconds: float) -> int:
        """How many agents called a moment ago; counted anew when that may have changed much.

        Args:
            seconds: How long ago at most.
        """
        with self._lock:
            now = self._clock.now()
            is_near = len(self._contacts) < self._counted_of * 1.1
            if is_near and now - self._counted_at < timedelta(seconds=COUNT_EVERY_S):
                return self._counted
            since = now - timedelta(seconds=seconds)
            self._counted = sum(at >= since for at in self._contacts.values())
            self._counted_at, self._counted_of = now, len(self._contacts)
            return self._counted

    @property
    def callers(self) -> int:
        """How many agents called this process."""
        return len(self._contacts)

    def has_called(self, agent_id: str) -> bool:
        """Whether an agent called this process.

        Args:
            agent_id: Who.
        """
        with self._lock:
            return agent_id in self._contacts

    def _watch(self, job_id: str, lease: str, agent_id: str, seen_at: float) -> _Watched:
        known = self._watched.get(lease)
        if known is None:
            known = self._watched[lease] = _Watched(job_id, agent_id, seen_at)
            self._of_job.setdefault(job_id, set()).add(lease)
        return known
