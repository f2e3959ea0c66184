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
    """

    sent_bytes: int = 0
    answered_s: float | None = None
    silent_s: float | None = None
    reason: str = ""


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
            total = self._contact.sent_bytes + sent_bytes
            self._contact = Contact(total, self._clock.monotonic())

    def note_silence(self, reason: str) -> None:
        """No answer came.

        Args:
            reason: Why not.
        """
        with self._lock:
            since_s = self._contact.silent_s
            since_s = self._clock.monotonic() if since_s is None else since_s
            self._contact = replace(self._contact, silent_s=since_s, reason=reason)
