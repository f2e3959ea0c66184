"""Polls of agents that wait for a job, longest waiting first. Memory only, and no event loop."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import RLock

from alectio_agent.core.clock import Clock
from alectio_agent.hub.experiments.poll import Line, Poll
from alectio_agent.hub.experiments.roll import Kind
from alectio_agent.wire.claims import Claim
from alectio_agent.wire.protocol import LEASE_S


@dataclass(slots=True)
class _Patience:
    """How long an agent has waited already, and what it was last considered for."""

    since: float
    left_at: float
    mark: int
    free: frozenset[str]


class Polls:
    """All polls that wait; safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        """Start with none.

        Args:
            clock: For how long agents wait.
        """
        self._clock = clock
        self._lock = RLock()
        self._serial = 0
        self._by_agent: dict[str, Poll] = {}
        self._lines: dict[Line, list[tuple[float, int, Poll]]] = {}
        self._brief: set[Poll] = set()
        self._patience: dict[str, _Patience] = {}
        self._mark, self._marked_serial = -1, 0
        self.on_news: Callable[[list[Poll]], None] = _tell_nobody
        """Told, in any thread, which polls have something to say."""

    def __len__(self) -> int:
        """How many wait."""
        return len(self._by_agent)

    def join(self, poll: Poll, kind: Kind, mark: int) -> bool:
        """Let a poll wait; the one before it of the same agent ends.

        Args:
            poll: New.
            kind: What its agent can run.
            mark: Of the state of all jobs, which grows with every change.

        Returns:
            Whether a look may find a job for it: not so when its agent was considered in this very
            state already.
        """
        with self._lock:
            self._serial += 1
            poll.serial = self._serial
            before = self._by_agent.get(poll.agent_id)
            if before is not None and before.boot == poll.boot and before.seq > poll.seq:
                poll.is_over = True  # a late copy of an older poll
                return False
            poll.since = self._since(poll, before)
            known = self._patience.get(poll.agent_id)
            is_news = before is not None or not (
                known and known.mark == mark and known.free == poll.free
            )
            if before is not None:
                self._end(before)
            self._place(poll, kind)
        if before is not None:
            self.on_news([before])
        return is_news

    def leave(self, poll: Poll) -> bool:
        """Let a poll wait no longer.

        Args:
            poll: Any.

        Returns:
            Whether it is out of the line; not while a deal has it in hand.
        """
        with self._lock:
            if poll.is_picked:
                poll.is_late = True
                return False
            if self._by_agent.get(poll.agent_id) is poll:
                self._remove(poll)
                mark = self._mark if poll.serial <= self._marked_serial else -1
                now = self._clock.monotonic()
                self._patience[poll.agent_id] = _Patience(poll.since, now, mark, poll.free)
            return True

    def pick(self, poll: Poll) -> bool:
        """Take a poll out of the line, to give it a job.

        Args:
            poll: From `in_line`.

        Returns:
            Whether it still waited.
        """
        with self._lock:
            if poll.is_over or poll.is_doubted or self._by_agent.get(poll.agent_id) is not poll:
                return False
            self._remove(poll)
            poll.is_picked = True
            return True

    def put_back(self, poll: Poll, kind: Kind | None) -> None:
        """A deal came to nothing: wait on, at the same place.

        Args:
            poll: That was picked.
            kind: What its agent can run; None ends the poll.
        """
        with self._lock:
            poll.is_picked = False
            if kind is not None and not poll.is_late and poll.agent_id not in self._by_agent:
                self._place(poll, kind)
                return
            poll.is_over = True
        self.on_news([poll])

    def settle(self, poll: Poll, claim: Claim) -> None:
        """A poll got a job: its agent begins to wait anew.

        Args:
            poll: That was picked.
            claim: The job.
        """
        with self._lock:
            poll.is_picked, poll.claim = False, claim
            self._patience.pop(poll.agent_id, None)

    def doubt(self, agent_id: str) -> None:
        """Something about an agent changed: its poll asks the tables again.

        Args:
            agent_id: Who.
        """
        with self._lock:
            poll = self._by_agent.get(agent_id)
            self._patience.pop(agent_id, None)
            if poll is None:
                return
            poll.is_doubted = True
            self._remove(poll)
        self.on_news([poll])

    def doubt_token(self, name: str) -> None:
        """A token changed: the polls that it let in ask again whether it is good.

        Args:
            name: Of the token.
        """
        with self._lock:
            found = [poll for poll in self._by_agent.values() if poll.token == name]
            for poll in found:
                poll.is_doubted = True
                self._remove(poll)
        self.on_news(found)

    def end_all(self) -> None:
        """Send all home."""
        with self._lock:
            found = list(self._by_agent.values())
            for poll in found:
                self._end(poll)
        self.on_news(found)

    def considered(self, mark: int, serial: int) -> list[Poll]:
        """Note that a look has considered all polls up to one.

        Args:
            mark: Of the state of all jobs that it looked at.
            serial: Of the newest poll in line when it began.

        Returns:
            The brief polls among them, out of the line: there is no job for them.
        """
        with self._lock:
            self._mark, self._marked_serial = mark, serial
            brief = [poll for poll in self._brief if poll.serial <= serial]
            for poll in brief:
                self.leave(poll)
                poll.is_over = True
            return brief

    def fail_brief(self, error: BaseException) -> list[Poll]:
        """No look could be taken: those that do not wait are told so.

        Args:
            error: Why.

        Returns:
            They, out of the line.
        """
        with self._lock:
            brief = list(self._brief)
            for poll in brief:
                self._remove(poll)
                poll.error = error
            return brief

    @property
    def newest_serial(self) -> int:
        """Of the newest poll."""
        return self._serial

    def pipelines(self) -> set[str]:
        """Pipelines that any of those who wait may run."""
        with self._lock:
            return {name for free, _ in self._lines for name in free}

    def kinds(self, pipeline: str) -> list[Line]:
        """The lines of agents that may run a pipeline.

        Args:
            pipeline: Any.
        """
        with self._lock:
            return [key for key in self._lines if pipeline in key[0]]

    def in_line(self, key: Line) -> Iterator[Poll]:
        """Those who wait in one line, the longest waiting first.

        Args:
            key: From `kinds`.
        """
        at = 0
        while True:
            with self._lock:
                line = self._lines.get(key, [])
                if at >= len(line):
                    return
                poll = line[at][2]
            yield poll
            at += 1

    def of_agent(self, agent_id: str) -> Poll | None:
        """The poll of an agent; None when it does not wait.

        Args:
            agent_id: Who.
        """
        return self._by_agent.get(agent_id)

    def _since(self, poll: Poll, before: Poll | None) -> float:
        if before is not None:
            return before.since
        now = self._clock.monotonic()
        known = self._patience.get(poll.agent_id)
        # An agent that stayed away for longer than that did something else in between.
        return known.since if known and now - known.left_at < LEASE_S else now

    def _end(self, poll: Poll) -> None:
        poll.is_over = True
        self._remove(poll)

    def _place(self, poll: Poll, kind: Kind) -> None:
        poll.key = (poll.free, kind)
        self._by_agent[poll.agent_id] = poll
        if poll.is_brief:
            self._brief.add(poll)
        insort(self._lines.setdefault(poll.key, []), (*poll.place, poll))

    def _remove(self, poll: Poll) -> None:
        del self._by_agent[poll.agent_id]
        self._brief.discard(poll)
        assert poll.key is not None  # noqa: S101 - it was placed
        line = self._lines[poll.key]
        # No serial is there twice, so that two polls are never compared.
        del line[bisect_left(line, (*poll.place,))]
        if not line:
            del self._lines[poll.key]


def _tell_nobody(_: list[Poll]) -> None:
    """Before an event loop listens, and after."""
