"""Turns everything in one thread, on a clock that jumps from event to event."""

import heapq
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Protocol

import greenlet

JITTER_S = 0.002
"""What may run at the same moment runs in any order."""


class Killed(BaseException):
    """Raised in what belongs to a process that has just been killed."""


class Owner(Protocol):
    """A process: what belongs to it stands still while it is paused, and ends when it is killed."""

    paused_until: float


class Actor:
    """A thread of the simulated world."""

    def __init__(
        self,
        name: str,
        target: Callable[[], None],
        owner: Owner | None,
        parent: greenlet.greenlet,
    ) -> None:
        self.name = name
        self.owner = owner
        self.event: Event | None = None
        self.turn = 0
        """Counts what it waits for: an older timer wakes nobody."""
        self._target = target
        self.is_killed = False
        self.let = greenlet.greenlet(self._run, parent)

    def _run(self) -> None:
        try:
            self._target()
        except Killed:
            return


class Scheduler:
    """All actors, all timers, the time."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.now = 0.0
        self.turns = 0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._waiting: dict[int, Actor] = {}
        self._of: dict[int, dict[Actor, None]] = {}
        # Dictionaries, and no sets: those give objects in another order each time.
        self._main = greenlet.getcurrent()
        self.current: Actor | None = None
        self.crash: BaseException | None = None

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._heap, (max(self.now, moment), self._count, action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after a while."""
        self.at(self.now + seconds, action)

    def spawn(self, name: str, target: Callable[[], None], owner: Owner | None = None) -> Actor:
        """Let a new actor begin at about this moment."""
        actor = Actor(name, target, owner, self._main)
        self._of.setdefault(id(owner), {})[actor] = None
        self.after(self._rng.random() * JITTER_S, lambda: self._resume(actor, actor.turn))
        return actor

    def sleep(self, seconds: float) -> None:
        """Let others run; for actors only."""
        self._block(None, seconds)

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait for an event, or until time is up; for actors only."""
        if seconds <= 0 and not event.is_set():
            self._block(None, 0.0)  # others may run all the same
            return event.is_set()
        self._block(event, seconds)
        return event.is_set()

    def run(self, is_over: Callable[[], bool], most_s: float) -> bool:
        """Turn until something is true; whether it became true in time."""
        until = self.now + most_s
        while not is_over():
            if not self._heap or self._heap[0][0] > until:
                self.now = until
                return False
            self.now, _, action = heapq.heappop(self._heap)
            self.turns += 1
            action()
            if self.crash is not None:
                raise self.crash
            if self._waiting:
                self._look_at_events()
        return True

    def kill(self, owner: Owner) -> None:
        """End all actors of a process: nothing of them runs any more but what unwinds."""
        for actor in list(self._of.pop(id(owner), ())):
            actor.is_killed = True
            self._waiting.pop(id(actor), None)
            if actor.let is greenlet.getcurrent():
                continue  # it raises by itself
            if actor.let:
                actor.let.parent = greenlet.getcurrent()
                self._switch(actor, Killed())

    def is_alive(self, actor: Actor) -> bool:
        """Whether it has not come to its end."""
        return not actor.let.dead

    def _block(self, event: Event | None, seconds: float) -> None:
        actor = self.current
        assert actor is not None, "only an actor may wait"
        if actor.is_killed:
            raise Killed  # what unwinds waits for nothing
        actor.turn += 1
        turn = actor.turn
        if event is not None and not event.is_set():
            actor.event = event
            self._waiting[id(actor)] = actor
        elif event is not None:
            seconds = self._rng.random() * JITTER_S
        self.after(seconds, lambda: self._resume(actor, turn))
        self._main.switch()

    def _resume(self, actor: Actor, turn: int) -> None:
        if actor.turn != turn or actor.is_killed or actor.let.dead:
            return
        owner = actor.owner
        if owner is not None and owner.paused_until > self.now:
            self.at(owner.paused_until, lambda: self._resume(actor, turn))
            return
        actor.event = None
        self._waiting.pop(id(actor), None)
        self._switch(actor)

    def _switch(self, actor: Actor, error: BaseException | None = None) -> None:
        before, self.current = self.current, actor
        try:
            if error is not None:
                actor.let.throw(error)
            else:
                actor.let.switch()
        finally:
            self.current = before
        if actor.let.dead:
            self._of.get(id(actor.owner), {}).pop(actor, None)

    def _look_at_events(self) -> None:
        for actor in list(self._waiting.values()):
            if actor.event is not None and actor.event.is_set():
                del self._waiting[id(actor)]
                turn = actor.turn
                actor.event = None
                self.after(
                    self._rng.random() * JITTER_S,
                    lambda actor=actor, turn=turn: self._resume(actor, turn),
                )


class SimClock:
    """Implements `core.clock.Clock`: one machine's, with its own idea of the date."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.wrong_by = timedelta()
        self._start = datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self._scheduler.now

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._scheduler.now) + self.wrong_by

    def wait(self, event: Event, seconds: float) -> bool:
        return self._scheduler.wait(event, seconds)
