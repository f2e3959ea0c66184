"""How a running step is stopped: by other threads, or because it went over a limit."""

import os
import threading
from contextlib import suppress

from alectio_agent.agent.hooks.limits import Overrun
from alectio_agent.core.clock import Clock

CANCEL_GRACE_S = 30.0
"""Between TERM and KILL of the hook's process group."""


class Stopper:
    """Asked by any thread; looked at by the one that runs steps, which also does the killing.

    Attributes:
        was_asked: Somebody asked since the last step began, also after its end.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with no step running.

        Args:
            clock: For the grace.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._is_running = False
        self._deadline_s: float | None = None
        self._late_s: float | None = None
        self._is_hook_asked = False
        self._overrun: Overrun | None = None
        self.fd, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._is_closed = False
        self.was_asked = False

    @property
    def deadline_s(self) -> float | None:
        """When the running step must be over, by the monotonic clock; None: not asked to stop."""
        with self._lock:
            return self._deadline_s

    @property
    def overrun(self) -> Overrun | None:
        """The limit that the step is stopped for; None when somebody asked."""
        with self._lock:
            return self._overrun

    @property
    def late_s(self) -> float | None:
        """When a step that may end by itself is cancelled, by the monotonic clock; None: never."""
        with self._lock:
            return self._late_s

    @property
    def is_late(self) -> bool:
        """Whether that time has come."""
        late_s = self.late_s
        return late_s is not None and self._clock.monotonic() >= late_s

    @property
    def is_hook_asked(self) -> bool:
        """Whether the hook is to be told that it should stop."""
        with self._lock:
            return self._is_hook_asked or self._deadline_s is not None

    def begin(self) -> None:
        """A step begins: from now on asking has an effect."""
        with self._lock:
            self._is_running, self._deadline_s, self._overrun = True, None, None
            self._late_s, self._is_hook_asked = None, False
            self.was_asked = False
            self._hush()

    def finish(self) -> None:
        """The step is over."""
        with self._lock:
            self._is_running = False

    def ask(self, grace_s: float, overrun: Overrun | None = None) -> None:
        """Stop the running step; without one nothing happens.

        Args:
            grace_s: How long it may take; the shortest of several counts.
            overrun: The limit that it went over; who asks first gives the reason.
        """
        deadline_s = self._clock.monotonic() + max(0.0, grace_s)
        with self._lock:
            self.was_asked = True
            if not self._is_running or self._is_closed:
                return
            if self._deadline_s is None:
                self._overrun = overrun
            if self._deadline_s is None or deadline_s < self._deadline_s:
                self._deadline_s = deadline_s
            self._ring()

    def request(self, within_s: float | None, *, asks_hook: bool) -> None:
        """Let the running step end by itself; without one nothing happens.

        Args:
            within_s: How long it may take before it is cancelled; None: without limit. The
                shortest of several counts.
            asks_hook: Tell the hook, which may save what it has and end early.
        """
        now_s = self._clock.monotonic()
        with self._lock:
            if not self._is_running or self._is_closed:
                return
            self._is_hook_asked |= asks_hook
            if within_s is not None:
                late_s = now_s + max(0.0, within_s)
                self._late_s = late_s if self._late_s is None else min(late_s, self._late_s)
            self._ring()

    def hush(self) -> None:
        """Take note: `fd` is readable again only after the next asking."""
        with self._lock:
            self._hush()

    def close(self) -> None:
        """Asking has no effect any more."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                os.close(self.fd)
                os.close(self._bell)

    def _ring(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def _hush(self) -> None:
        with suppress(BlockingIOError):
            os.read(self.fd, 4096)
