"""The running agent: starts its threads, and stops them in the order that loses nothing."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from alectio_agent.agent.jobs.quota import Quota
from alectio_agent.agent.jobs.sender import Sender
from alectio_agent.agent.jobs.slot import Slot
from alectio_agent.agent.service.accountant import Accountant
from alectio_agent.agent.service.agent_parts import Courier, Parts
from alectio_agent.agent.service.snapshot import AgentSnapshot, StopState, take_snapshot
from alectio_agent.agent.service.stop_plan import StopMode
from alectio_agent.agent.service.stops import Stops
from alectio_agent.agent.service.threads import (
    Driver,
    LazyDrivers,
    Spawn,
    StepObject,
    spawn_thread,
)
from alectio_agent.core.errors import AlectioAgentError, PlatformError

log = logging.getLogger(__name__)

WATCH_S = 3600.0
LAST_WORDS_S = 5.0
"""How long a stop waits for what is sent as well as it can, such as the rest of a log."""


class Agent:
    """Runs until asked to stop."""

    def __init__(self, parts: Parts, spawn: Spawn = spawn_thread) -> None:
        """Bind the parts; nothing runs yet.

        Args:
            parts: What `cli` built.
            spawn: Starts the threads.
        """
        self._parts = parts
        self._spawn = spawn
        self._stopping = threading.Event()
        self._drained = threading.Event()
        hooks = [slot.hooks for slot in parts.slots.all]
        self._stops = Stops(
            parts.stop_rules, hooks, self._running, parts.is_going_down, parts.clock
        )
        self.error: BaseException | None = None
        leaving = parts.leaving
        self._poll = self._driver("poll", parts.poll_loop, leaving.is_set)
        self._slots = [self._slot_driver(slot) for slot in parts.slots.all]
        self._sender = self._driver("sender", parts.sender, self._is_sender_over)
        self._beats = self._driver("beats", parts.heartbeats, self._drained.is_set)
        self._uploads = LazyDrivers(self._upload_driver)
        parts.uploads.courier.on_work = self._uploads.call
        self._closing = threading.Event()
        self._couriers = [self._courier_driver(courier) for courier in parts.couriers]
        keepers = [] if parts.keeper is None else [parts.keeper]
        self._keepers = [self._driver("keeper", keeper, self._drained.is_set) for keeper in keepers]
        if parts.accountant is not None:
            self._keepers.append(self._accountant_driver(parts.accountant))

    @property
    def quota(self) -> Quota:
        """The jobs of this life: how many it takes, and how they ended."""
        return self._parts.poll_loop.quota

    @property
    def sender(self) -> Sender:
        """Delivers results."""
        return self._parts.sender

    @property
    def was_stopped(self) -> bool:
        """Whether a person asked it to stop."""
        return self._stops.asked > 0

    def snapshot(self) -> AgentSnapshot:
        """What it is doing now; cheap, and may be called from any thread."""
        return take_snapshot(
            self._parts.sources,
            self._parts.clock.monotonic(),
            is_registered=self._parts.poll_loop.agent_id is not None,
            is_leaving=self._parts.leaving.is_set(),
            stops=StopState(
                self._stops.asked,
                self._stops.rules.when_stopped,
                self._stops.plan,
                self._stops.ends_s,
                self._stops.asked_s,
            ),
        )

    def start(self) -> None:
        """Start all threads."""
        helpers = (*self._couriers, *self._keepers)
        for driver in (self._beats, self._sender, *self._slots, *helpers, self._poll):
            driver.start()

    @property
    def hung(self) -> str:
        """The loop whose turn does not come back, of those that nothing works without; or empty."""
        late = (driver.name for driver in (self._poll, self._sender) if driver.pulse.is_late)
        return next(late, "")

    @property
    def has_work(self) -> bool:
        """Whether a step still runs, or a result is still being sent."""
        return not all(driver.over.is_set() for driver in (*self._slots, self._sender))

    @property
    def stopping(self) -> threading.Event:
        """Set as soon as the agent was asked to stop, by a person or by an error."""
        return self._stopping

    def stop(self) -> None:
        """Ask to stop: once does what the configuration says, then cancels, then kills.

        Returns within some seconds, before the running step has ended.
        """
        self._leave_after(self._stops.ask)

    def stop_with(self, mode: StopMode) -> None:
        """Ask to stop in a certain way, whatever the configuration says; again changes nothing.

        Args:
            mode: What is done with the running step.
        """
        self._leave_after(partial(self._stops.ask_for, mode))

    def cancel(self) -> None:
        """Ask to stop at once: as asking twice."""
        self.stop_with("cancel")

    def finish(self, *, at_once: bool = False) -> None:
        """Stop because nothing is left to do.

        Args:
            at_once: Cancel a running step instead of finishing it.
        """
        self._parts.leaving.set()
        if at_once:
            self._stops.cancel()
        self._stopping.set()

    def fail(self, error: BaseException) -> None:
        """Stop because of an error that cannot be handled here."""
        if self.error is None:
            self.error = error
            if not isinstance(error, AlectioAgentError):
                log.error("unexpected: %r", error, exc_info=error)
        self._parts.leaving.set()
        self._stopping.set()

    def fail_now(self, error: PlatformError) -> None:
        """Stop because the platform wants this agent gone; the running hook is cancelled."""
        if self.error is not None:
            return
        self.fail(error)
        self._stops.cancel()

    def wait_for_stop(self) -> None:
        """Return when the agent was asked to stop."""
        while not self._stopping.is_set():
            self._parts.clock.wait(self._stopping, WATCH_S)

    def shut_down(self) -> None:
        """Finish what must be finished, then end all threads.

        The running step ends first; then what is in the outbox is sent, until it is empty or one
        delivery does not arrive (it stays on disk); then, for some seconds, the rest of the logs;
        then the platform is told goodbye.
        """
        parts = self._parts
        parts.leaving.set()
        parts.polls.interrupt()
        # Each driver is woken after the one that it waits for is over, so that no wake is lost.
        self._poll.wake()
        self._wait(self._poll)
        for driver in self._slots:
            driver.wake()
        self._stops.limit()
        for driver in self._slots:
            self._wait(driver)
        self._sender.wake()
        self._wait(self._sender)
        self._uploads.close()
        parts.uploads.transport.interrupt()
        self._close_couriers()
        self._drained.set()
        for driver in (self._beats, *self._keepers):
            driver.wake()
            self._wait(driver)
        self._leave()

    def _leave_after(self, ask: Callable[[], None]) -> None:
        # No further step begins from here on, whatever the asking takes.
        self._parts.leaving.set()
        ask()
        self._stopping.set()

    def _running(self) -> list[str]:
        """The jobs of which a step runs."""
        return [
            run.claim.job
            for run in self._parts.slots.in_hand
            if any(mark.state == "running" for mark in run.marks.all)
        ]

    def _wait(self, driver: Driver) -> None:
        while not driver.over.is_set():
            self._parts.clock.wait(driver.over, WATCH_S)

    def _close_couriers(self) -> None:
        """Let them send what is left, unless nothing arrives; then cut them off."""
        clock = self._parts.clock
        deadline = clock.monotonic() + LAST_WORDS_S
        for courier in self._parts.couriers:
            courier.loop.hurry()
        self._closing.set()
        for driver in self._couriers:
            driver.wake()
        for courier, driver in zip(self._parts.couriers, self._couriers, strict=True):
            left_s = max(0.0, deadline - clock.monotonic())
            if not driver.over.is_set() and not clock.wait(driver.over, left_s):
                log.debug("%s: not all could be sent before the stop", courier.name)
                courier.transport.interrupt()

    def _leave(self) -> None:
        agent_id = self._parts.poll_loop.agent_id
        if agent_id is None or self._parts.sender.is_failing:
            return
        try:
            self._parts.farewell.leave(agent_id)
        except PlatformError as error:
            log.debug("could not say goodbye: %s", error.message)

    def _is_sender_over(self) -> bool:
        if not self._parts.leaving.is_set():
            return False
        if not all(driver.over.is_set() for driver in self._slots):
            return False
        return self._parts.sender.is_failing or self._parts.sender.is_idle

    def _courier_driver(self, courier: Courier) -> Driver:
        def is_over() -> bool:
            if not self._closing.is_set():
                return False
            loop, sender = courier.loop, self._parts.sender
            return loop.is_idle or loop.is_failing or sender.is_failing

        def on_crash(error: BaseException) -> None:
            log.error("%s: unexpected, nothing more is sent: %r", courier.name, error)

        return Driver(
            courier.name, courier.loop, self._parts.clock, is_over, on_crash, spawn=self._spawn
        )

    def _accountant_driver(self, accountant: Accountant) -> Driver:
        def on_crash(error: BaseException) -> None:
            # An agent works on, whatever becomes of what is told about it.
            log.error("accountant: unexpected, no more metrics are written: %r", error)

        return Driver(
            "accountant", accountant, self._parts.clock, self._drained.is_set, on_crash,
            accountant.close, self._spawn,
        )  # fmt: skip

    def _slot_driver(self, slot: Slot) -> Driver:
        def is_over() -> bool:
            return self._parts.leaving.is_set() and self._poll.over.is_set() and slot.is_free

        # The kernel ends a hook process with the thread that started it, so that thread says
        # goodbye to it first.
        return self._driver(f"slot-{slot.number}", slot, is_over, slot.hooks.close)

    def _upload_driver(self, worker: StepObject) -> Driver:
        return self._driver("parts", worker, self._uploads.closed.is_set)

    def _driver(
        self,
        name: str,
        loop: StepObject,
        is_over: Callable[[], bool],
        on_end: Callable[[], None] | None = None,
    ) -> Driver:
        return Driver(name, loop, self._parts.clock, is_over, self.fail, on_end, self._spawn)
