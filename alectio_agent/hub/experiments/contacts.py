"""When each agent last called this process, in memory: it changes with every poll and beat."""

from datetime import datetime, timedelta
from threading import Lock

from alectio_agent.core.clock import Clock

COUNT_EVERY_S = 10.0
KEEP_EVERY_S = 300.0
"""Contacts are written so often: they are for people to read."""


class Contacts:
    """Who called when; safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        """Start without any contact.

        Args:
            clock: For periods; its wall clock only shows people when a contact was.
        """
        self._clock = clock
        self._lock = Lock()
        self._called: dict[str, float] = {}
        self._counted, self._counted_of, self._counted_at = 0, 0, clock.monotonic()
        self._kept_at = clock.monotonic()

    def __len__(self) -> int:
        """How many agents called this process."""
        return len(self._called)

    def note(self, agent_id: str) -> None:
        """An agent called.

        Args:
            agent_id: Who.
        """
        now = self._clock.monotonic()
        with self._lock:
            self._called[agent_id] = now

    def forget(self, agent_id: str) -> None:
        """An agent was removed.

        Args:
            agent_id: Who.
        """
        with self._lock:
            self._called.pop(agent_id, None)

    def has_called(self, agent_id: str) -> bool:
        """Whether an agent called this process.

        Args:
            agent_id: Who.
        """
        with self._lock:
            return agent_id in self._called

    def moments(self) -> dict[str, datetime]:
        """Agents that called this process, and when they last did."""
        with self._lock:
            return self._moments(self._called)

    def within(self, seconds: float) -> list[str]:
        """Agents that called a moment ago.

        Args:
            seconds: How long ago at most.
        """
        with self._lock:
            since = self._clock.monotonic() - seconds
            return [agent_id for agent_id, at in self._called.items() if at >= since]

    def count_within(self, seconds: float) -> int:
        """How many agents called a moment ago; counted anew when that may have changed much.

        Args:
            seconds: How long ago at most.
        """
        with self._lock:
            now = self._clock.monotonic()
            is_near = len(self._called) < self._counted_of * 1.1
            if is_near and now - self._counted_at < COUNT_EVERY_S:
                return self._counted
            since = now - seconds
            self._counted = sum(at >= since for at in self._called.values())
            self._counted_at, self._counted_of = now, len(self._called)
            return self._counted

    def take(self) -> dict[str, datetime]:
        """Contacts since the last call that gave any; none before some minutes have passed.

        Returns:
            Agent to moment, to be written into the tables.
        """
        with self._lock:
            now = self._clock.monotonic()
            if now - self._kept_at < KEEP_EVERY_S:
                return {}
            since, self._kept_at = self._kept_at, now
            return self._moments(
                {agent_id: at for agent_id, at in self._called.items() if at >= since}
            )

    def _moments(self, called: dict[str, float]) -> dict[str, datetime]:
        """As the wall clock has it now: it may have been set since."""
        now, seen_at = self._clock.now(), self._clock.monotonic()
        return {agent_id: now - timedelta(seconds=seen_at - at) for agent_id, at in called.items()}
