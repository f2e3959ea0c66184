"""Counts what goes out, and remembers when the platform answered last."""

import threading
from dataclasses import dataclass, replace

from alectio_agent.core.clock import Clock


@dataclass(frozen=True)
class Contact:
    """How it stands with the platform.

    Attributes:
        sent_bytes: Bodies of all requests that were answered, since the agent started.
        answered_s: When the last answer came, by the monotonic clock; None before the first.
        silent_s: Since when no answer comes, by the same clock; None while answers come.
        reason: Why none comes; empty while they do.
        error: The reason of the newest silence, also when it is over; empty before the first.
        error_s: When that was noted last, by the same clock.
    """

    sent_bytes: int = 0
    answered_s: float | None = None
    silent_s: float | None = None
    reason: str = ""
    error: str = ""
    error_s: float | None = None


class Traffic:
    """One for all transports of an agent; may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        """Start without any contact.

        Args:
            clock: For the times.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._contact = Contact()

    @property
    def contact(self) -> Contact:
        """How it stands now."""
        return self._contact

    def note_answer(self, sent_bytes: int) -> None:
        """An answer came.

        Args:
            sent_bytes: Size of the request's body.
        """
        with self._lock:
            was = self._contact
            total, now_s = was.sent_bytes + sent_bytes, self._clock.monotonic()
            self._contact = Contact(total, now_s, error=was.error, error_s=was.error_s)

    def note_silence(self, reason: str) -> None:
        """No answer came.

        Args:
            reason: Why not.
        """
        with self._lock:
            now_s, since_s = self._clock.monotonic(), self._contact.silent_s
            self._contact = replace(
                self._contact,
                silent_s=now_s if since_s is None else since_s,
                reason=reason,
                error=reason,
                error_s=now_s,
            )
