"""How much time and memory one call of a hook may take, and which limit of time it went over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alectio_agent.core.clock import Clock

Overrun = Literal["total", "no_progress"]


@dataclass(frozen=True)
class Limits:
    """None for no limit.

    Attributes:
        total_s: From the command to its answer.
        no_progress_s: Between two reports of progress.
        memory_bytes: Of the hook process and all that it started.
    """

    total_s: float | None = None
    no_progress_s: float | None = None
    memory_bytes: int | None = None


NO_LIMITS = Limits()


class Watch:
    """The time of one call, which begins now.

    Attributes:
        has_returned: The hook has; only its result is not stored yet, and must not be lost.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        """Start the time.

        Args:
            limits: Of the call.
            clock: Its monotonic time counts.
        """
        self._clock = clock
        self._no_progress_s = limits.no_progress_s
        self.has_returned = False
        self._ends_s: dict[Overrun, float] = {}
        now_s = clock.monotonic()
        if limits.total_s is not None:
            self._ends_s["total"] = now_s + limits.total_s
        if limits.no_progress_s is not None:
            self._ends_s["no_progress"] = now_s + limits.no_progress_s

    @property
    def ends_s(self) -> float | None:
        """When the next limit is reached, by the monotonic clock; None: never."""
        return min(self._ends_s.values(), default=None)

    @property
    def overrun(self) -> Overrun | None:
        """The limit that was reached; None as long as none was."""
        now_s = self._clock.monotonic()
        return next((limit for limit, end_s in self._ends_s.items() if now_s >= end_s), None)

    def hear(self, report: Mapping[str, Any]) -> None:
        """Note what the hook process says on the way.

        Args:
            report: Any but the last.
        """
        if report.get("report") == "progress" and "no_progress" in self._ends_s:
            assert self._no_progress_s is not None  # noqa: S101 - its end was made from it
            self._ends_s["no_progress"] = self._clock.monotonic() + self._no_progress_s
        elif report.get("report") == "waits":
            # The result waits for room on the disk.
            self.has_returned = True
            self._ends_s.clear()
