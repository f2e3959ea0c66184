"""Counts what goes out, and remembers when the platform answered last."""

import threading
from dataclasses import dataclass

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
        # An answer is noted for every call, and asked about now and then: it only sets fields.
        self._sent_bytes = 0
        self._answered_s: float | None = None
        self._silent_s: float | None = None
        self._reason = self._error = ""
        self._error_s: float | None = None

    @property
    def contact(self) -> Contact:
        """How it stands now."""
        with self._lock:
            return Contact(
                self._sent_bytes, self._answered_s, self._silent_s, self._reason, self._error,
                self._error_s,
            )  # fmt: skip

    def note_answer(self, sent_bytes: int) -> None:
        """An answer came.

        Args:
            sent_bytes: Size of the request's body.
        """
        with self._lock:
            self._sent_bytes += sent_bytes
            self._answered_s = self._clock.monotonic()
            self._silent_s, self._reason = None, ""

    def note_silence(self, reason: str) -> None:
        """No answer came.

        Args:
            reason: Why not.
        """
        with self._lock:
            now_s = self._clock.monotonic()
            self._silent_s = now_s if self._silent_s is None else self._silent_s
            self._reason = self._error = reason
            self._error_s = now_s
