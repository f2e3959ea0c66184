"""Beats of leases, in memory, by the monotonic time that this process was awake for.

A hub that restarts has seen nothing: every lease gets a fresh period from its first look.
"""

from dataclasses import dataclass, field
from threading import Lock

from alectio_agent.core.clock import Clock
from alectio_agent.hub.experiments.contacts import Contacts
from alectio_agent.wire.results import Heartbeat


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
    """Which lease was last heard of when; safe to use from any thread."""

    def __init__(self, clock: Clock, contacts: Contacts) -> None:
        """Start without having heard of any.

        Args:
            clock: For periods.
            contacts: Told of each beat.
        """
        self._clock = clock
        self._lock = Lock()
        self._watched: dict[str, _Watched] = {}
        self._of_job: dict[str, set[str]] = {}
        self._waiting: dict[str, float] = {}
        self._contacts = contacts
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
            self._contacts.note(watched.agent_id)
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
            self._waiting.pop(job_id, None)
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

    def _watch(self, job_id: str, lease: str, agent_id: str, seen_at: float) -> _Watched:
        known = self._watched.get(lease)
        if known is None:
            known = self._watched[lease] = _Watched(job_id, agent_id, seen_at)
            self._of_job.setdefault(job_id, set()).add(lease)
        return known
