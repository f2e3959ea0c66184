"""Whether a thread turns: by when it has to do the next thing."""

from alectio_agent.core.clock import Clock

LONGEST_TURN_S = 1200.0
"""No turn of the poll loop or of the sender takes longer, however bad the line is: registering (30
s to connect, 35 s to the headers, 120 s to the end), `claim.check` (35 s), and a claim (30 s, 315 s
for the longest hold that is asked for, 600 s for its body) make 1,165 s. The sender's longest are
three calls of 185 s."""
LATE_S = 60.0
"""A machine that is short of memory may wake a thread so late from its wait."""


class Pulse:
    """Noted by the thread itself, looked at by another.

    A wait is as good as work: a loop that waits for an hour of idle turn lives, as long as it does
    not wait longer than it said. A turn that does not come back is late some time.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with nothing to be late for.

        Args:
            clock: For the times.
        """
        self._clock = clock
        self._due_s: float | None = None

    def turn(self, within_s: float = LONGEST_TURN_S) -> None:
        """A turn begins.

        Args:
            within_s: How long it may take.
        """
        self._due_s = self._clock.monotonic() + within_s

    def wait(self, seconds: float) -> None:
        """A wait begins.

        Args:
            seconds: How long it is meant to take at most.
        """
        self._due_s = self._clock.monotonic() + max(0.0, seconds) + LATE_S

    def end(self) -> None:
        """Nothing more is expected."""
        self._due_s = None

    @property
    def is_late(self) -> bool:
        """Whether it should have done something by now."""
        due_s = self._due_s  # once: the thread may end it meanwhile
        return due_s is not None and self._clock.monotonic() > due_s
