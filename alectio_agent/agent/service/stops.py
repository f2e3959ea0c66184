"""Stops: who asked how often, and what each asking does with the running steps."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from alectio_agent.agent.hooks.stopping import CANCEL_GRACE_S
from alectio_agent.agent.service.stop_plan import StopMode, StopPlan, StopRules
from alectio_agent.core.clock import Clock

log = logging.getLogger(__name__)


class RunningHooks(Protocol):
    """The hook process of a slot, as whoever stops it needs it; from any thread."""

    def request(self, within_s: float | None, *, asks_hook: bool) -> None:
        """Let the running step end by itself within a time."""

    def cancel(self, grace_s: float) -> None:
        """End the running step: TERM, and KILL after the grace."""

    def kill(self) -> None:
        """End the running step at once."""


class Stops:
    """Asked from any thread; each further asking is a degree firmer than what is done already."""

    def __init__(
        self,
        rules: StopRules,
        hooks: Sequence[RunningHooks],
        running: Callable[[], Sequence[str]],
        is_going_down: Callable[[], bool],
        clock: Clock,
    ) -> None:
        """Start with nobody asking.

        Args:
            rules: From the configuration.
            hooks: Of all slots.
            running: Tells the jobs of which a step runs.
            is_going_down: Whether the machine is; may take some seconds.
            clock: For the deadline.
        """
        self.rules = rules
        self._hooks = hooks
        self._running = running
        self._is_going_down = is_going_down
        self._clock = clock
        self._lock = threading.Lock()
        self._degree = 0
        self._plan: StopPlan | None = None
        self._ends_s: float | None = None
        self.asked_s: float | None = None
        """When the first asking came, by the monotonic clock; None before it."""

    @property
    def asked(self) -> int:
        """0: nobody asked; 1: the steps end by themselves; 2: they are cancelled; 3: killed."""
        return self._degree

    @property
    def plan(self) -> StopPlan | None:
        """What the first asking does; None before it."""
        return self._plan

    @property
    def ends_s(self) -> float | None:
        """When the steps are cancelled that were asked, by the monotonic clock; None: never."""
        return self._ends_s

    def ask(self) -> None:
        """Ask once more: once does what the rules say, then cancels, then kills.

        The first time it may take some seconds, to find out whether the machine goes down.
        """
        with self._lock:
            self._degree += 1
            degree = self._degree
        if degree == 1:
            self._begin(None)
        elif degree == 2:
            log.warning("cancelling the running step; once more kills it")
            self.cancel()
        else:
            for hooks in self._hooks:
                hooks.kill()

    def ask_for(self, mode: StopMode) -> None:
        """Ask for a certain kind of stop; one that is as firm already goes on as it is.

        Args:
            mode: What is done with the running steps, whatever the rules say.
        """
        wanted = 2 if mode == "cancel" else 1
        with self._lock:
            degree, self._degree = self._degree, max(self._degree, wanted)
        if degree == 0:
            self._begin(mode)
        elif degree < wanted:
            self.cancel()

    def cancel(self) -> None:
        """End the running steps, whoever wants it."""
        for hooks in self._hooks:
            hooks.cancel(CANCEL_GRACE_S)

    def limit(self) -> None:
        """A stop that nobody asked for keeps to `drain_timeout` as well."""
        if self._degree == 0 and self.rules.drain_timeout_s is not None:
            for hooks in self._hooks:
                hooks.request(self.rules.drain_timeout_s, asks_hook=False)

    def _begin(self, mode: StopMode | None) -> None:
        self.asked_s = self._clock.monotonic()
        running = self._running()
        is_shutdown = bool(running) and mode is None and self._is_going_down()
        plan = StopPlan.of(self.rules, mode, is_shutdown=is_shutdown)
        with self._lock:
            if self._degree > 1 and mode != "cancel":
                return  # somebody was not willing to wait for the answer
            self._plan = plan
            if plan.mode == "cancel":
                self._degree = 2
            elif plan.limit_s is not None:
                self._ends_s = self._clock.monotonic() + plan.limit_s
        log.info("%s", plan.words(running))
        if plan.mode == "cancel":
            self.cancel()
            return
        for hooks in self._hooks:
            hooks.request(plan.limit_s, asks_hook=plan.mode == "checkpoint")
