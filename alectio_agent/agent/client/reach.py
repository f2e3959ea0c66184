"""Whether the platform itself answers: the page of a proxy is no answer."""

import threading
from dataclasses import dataclass

from alectio_agent.agent.client.recording import UNRECORDED
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import PlatformUnavailableError


@dataclass(frozen=True)
class Outage:
    """A time without an answer, by the monotonic clock.

    Attributes:
        since_s: When the first call had none.
        last_s: When the last call had none: an agent that does not call notices nothing.
        reason: Why not, of the last one.
    """

    since_s: float
    last_s: float
    reason: str


class Reach:
    """One for all calls of an agent, from any thread."""

    def __init__(self, clock: Clock) -> None:
        """Start without an outage.

        Args:
            clock: For the times.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._outage: Outage | None = None
        self._answered_s: float | None = None

    @property
    def outage(self) -> Outage | None:
        """The outage that lasts; None when the last call was answered."""
        return self._outage

    @property
    def answered_s(self) -> float | None:
        """When the platform answered last, by the monotonic clock; None before the first time."""
        return self._answered_s

    def answered(self) -> None:
        """The platform has said something, be it a refusal."""
        self._answered_s = self._clock.monotonic()
        if self._outage is not None:
            with self._lock:
                self._outage = None

    def failed(self, error: PlatformUnavailableError) -> None:
        """It has not.

        Args:
            error: What happened instead.
        """
        if error.silence in ("interrupted", UNRECORDED):
            return  # by this agent, which stops, or could not write down what would leave
        now_s = self._clock.monotonic()
        with self._lock:
            since_s = now_s if self._outage is None else self._outage.since_s
            self._outage = Outage(since_s, now_s, error.message)
