"""What a stop does with the running step: waits for it, cancels it, kills it."""

import logging
from collections.abc import Callable
from typing import Protocol

from alectio_agent.agent.hooks.stopping import CANCEL_GRACE_S
from alectio_agent.core.units import format_duration

log = logging.getLogger(__name__)


class RunningHooks(Protocol):
    """The hook process of a slot, as whoever stops it needs it; from any thread."""

    def cancel(self, grace_s: float) -> None:
        """End the running step: TERM, and KILL after the grace."""

    def kill(self) -> None:
        """End the running step at once."""


class Stops:
    """How often somebody asked the agent to stop, and what each asking does."""

    def __init__(
        self, hooks: RunningHooks, job: Callable[[], str | None], drain_timeout_s: float | None
    ) -> None:
        """Start with nobody asking.

        Args:
            hooks: They are cancelled and killed.
            job: Tells which job is in hand.
            drain_timeout_s: How long the running step is waited for; None: without limit.
        """
        self._hooks = hooks
        self._job = job
        self._drain_timeout_s = drain_timeout_s
        self.asked = 0

    def ask(self) -> None:
        """Once finishes the running step, twice cancels it, three times kills it."""
        self.asked += 1
        if self.asked == 1:
            self._say_farewell()
        elif self.asked == 2:
            log.warning("cancelling the running step; once more kills it")
            self.cancel()
        else:
            self._hooks.kill()

    def ask_firmly(self) -> None:
        """As asking twice."""
        self.asked = max(self.asked, 1)
        self.ask()

    def cancel(self) -> None:
        """End the running step, whoever wants it."""
        self._hooks.cancel(CANCEL_GRACE_S)

    def _say_farewell(self) -> None:
        job, limit_s = self._job(), self._drain_timeout_s
        if job is None:
            log.info("stopping")
            return
        deadline = "no deadline" if limit_s is None else f"at most {format_duration(limit_s)}"
        log.info("stopping: %s finishes its running step (%s); again to cancel it", job, deadline)
