"""Asks for looks at the jobs that are there, one for all agents that wait, and tells the agents."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection

from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import StoreError
from alectio_agent.hub.experiments.claiming import Claiming
from alectio_agent.hub.experiments.dealing import Deal
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.store.complaints import Complaints
from alectio_agent.hub.store.store import Store

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")
AGAIN_S = 1.0
"""Pause after a look that the store refused."""


class Dealer:
    """At most one look is queued at any time; it runs in the writer's thread."""

    def __init__(self, store: Store, claiming: Claiming, clock: Clock) -> None:
        """Looks fall flat until a loop listens.

        Args:
            store: Runs the looks.
            claiming: Takes them.
            clock: For jobs that are kept until a moment.
        """
        self._store = store
        self._claiming = claiming
        self._clock = clock
        self._complaints = Complaints(log, clock)
        self._lock = Lock()
        self._is_asked = False
        self._is_deaf = True
        self._found: Deal | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def listen(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Bind to an event loop.

        Args:
            loop: The one that runs, from which this is called, unless another is given.
        """
        self._loop = loop or asyncio.get_running_loop()
        self._is_deaf = False
        self._claiming.polls.on_news = self._tell_soon

    def deafen(self) -> None:
        """Ask for no look any more; what was dealt is still told."""
        self._is_deaf = True
        if self._timer is not None:
            self._timer.cancel()

    def committed(self) -> None:
        """Something was committed: look, if it may be a job; from any thread."""
        if self._claiming.may_deal:
            self.ask()

    def ask(self) -> None:
        """Look soon; from any thread."""
        with self._lock:
            if self._is_asked or self._is_deaf:
                return
            self._is_asked = True
        self._store.write(self._look).add_done_callback(self._done)

    def write(self, work: Callable[[Connection], ResultT]) -> "Future[ResultT]":
        """Do what may make a job, and give the job to whoever waits in the same transaction.

        An agent that waits has its job a commit earlier than by the look that comes after each.

        Args:
            work: Changes rows.

        Returns:
            As that of `Store.write`.
        """
        found: list[Deal] = []

        def both(tx: Connection) -> ResultT:
            value = work(tx)
            if len(self._claiming.polls) > 0 and not self._is_deaf:
                found.append(self._claiming.deal_changed(tx))
            return value

        written = self._store.write(both)
        written.add_done_callback(lambda done: self._end(found, done))
        return written

    def _end(self, found: list[Deal], written: "Future[Any]") -> None:
        is_undone = written.cancelled() or written.exception() is not None
        for deal in found:
            if is_undone:
                self._claiming.take_back(deal)
            else:
                self._pass_on(deal)

    def _look(self, tx: Connection) -> Deal:
        with self._lock:
            # From here on a change may come too late for this look.
            self._is_asked, self._found = False, None
        self._found = self._claiming.deal(tx)
        return self._found

    def _done(self, looked: "Future[Deal]") -> None:
        error = None if looked.cancelled() else looked.exception()
        if error is not None:
            self._claiming.take_back(self._found or Deal())
            self._soon(self._failed, error)
            return
        self._pass_on(looked.result())

    def _pass_on(self, found: Deal) -> None:
        if found.is_more:
            self.ask()
        if found.dealt or found.brief or found.opens_at is not None:
            self._soon(self._tell, found)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, StoreError):
            self._complaints.note("looking for jobs", error)
        else:
            log.warning("looking for jobs: %s", error)
        for poll in self._claiming.polls.fail_brief(error):
            poll.wake()
        self._look_in(AGAIN_S)

    def _tell(self, found: Deal) -> None:
        for poll, _ in found.dealt:
            poll.wake()
        for poll in found.brief:
            poll.wake()
        if found.opens_at is not None:
            self._look_in(max(0.0, found.opens_at - self._clock.monotonic()))

    def _look_in(self, seconds: float) -> None:
        if self._loop is None or self._is_deaf:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._time_came)

    def _time_came(self) -> None:
        self._claiming.stir()
        self.ask()

    def _tell_soon(self, polls: Iterable[Poll]) -> None:
        self._soon(_wake, list(polls))

    def _soon(self, say: object, said: object) -> None:
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(say, said)  # type: ignore[arg-type]


def _wake(polls: Iterable[Poll]) -> None:
    for poll in polls:
        poll.wake()
