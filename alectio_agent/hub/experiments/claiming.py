"""Claiming as the API calls it: a poll is taken, waits in line, and is dealt a job."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, update

from alectio_agent.core.clock import timestamp
from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments import claims, dealing
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.experiments.polls import Polls
from alectio_agent.hub.store.store import Store
from alectio_agent.hub.store.tables import agents
from alectio_agent.hub.store.transactions import touched_so_far
from alectio_agent.wire.claims import Claim, ClaimRequest
from alectio_agent.wire.protocol import LEASE_S, MAX_POLL_WAIT_S, POLL_WAIT_S, POLLS_PER_S

_CALLED = (
    update(agents)
    .where(agents.c.agent_id == bindparam("of"))
    .values(last_contact_at=bindparam("at"))
)


class Claiming:
    """Polls of agents, and the jobs that they get; safe to use from any thread."""

    def __init__(self, context: Context) -> None:
        """Bind to what lies in memory.

        Args:
            context: Of the platform.
        """
        self._context = context

    @property
    def polls(self) -> Polls:
        """Those who wait for a job."""
        return self._context.polls

    @property
    def may_deal(self) -> bool:
        """Whether anybody waits, and a job may be there that was not before."""
        return len(self._context.polls) > 0 and self._context.board.has_news

    @property
    def poll_wait_s(self) -> float:
        """How long a poll should wait, so that all agents together do not ask too often."""
        present = self._context.contacts.count_within(LEASE_S)
        return min(MAX_POLL_WAIT_S, max(POLL_WAIT_S, present / POLLS_PER_S))

    def follow(self, store: Store) -> None:
        """Keep what lies in memory in step with the commits of the store.

        Args:
            store: The only one that writes.
        """
        store.on_touch(self._touched)

    def _touched(self, changed: set[str]) -> None:
        self._context.board.touch(changed)
        self._context.roll.touch(changed)

    def is_plain(self, request: ClaimRequest) -> bool:
        """Whether a poll may wait without asking the tables; notes that its agent called.

        Args:
            request: The poll.
        """
        if not self._context.roll.is_plain(request):
            return False
        self._context.contacts.note(request.agent_id)
        return True

    def take(self, tx: Connection, request: ClaimRequest) -> Claim | None:
        """Take a poll that is not plain.

        Args:
            tx: A writing transaction.
            request: The poll.

        Returns:
            The job of the same poll once more; None when it may wait for one.

        Raises:
            ProblemError: `unknown-agent`, `superseded-boot` or `stale-seq`.
        """
        return claims.take_poll(tx, self._context, request)

    def join(self, poll: Poll) -> bool:
        """Let a poll wait.

        Args:
            poll: Plain, or taken.

        Returns:
            Whether a look may find a job for it.

        Raises:
            ProblemError: `unknown-agent`, or `superseded-boot`: it registered anew since the poll
                was looked at, and the poll of its new life must not end for this one.
        """
        if self._context.roll.is_outlived(poll.agent_id, poll.boot):
            raise ProblemError("superseded-boot", "the agent has registered anew since")
        board, kind = self._context.board, self._context.roll.kind_of(poll.agent_id)
        if kind is None:
            raise ProblemError("unknown-agent", "this platform does not know the agent")
        self.stir()
        is_news = self._context.polls.join(poll, kind, board.mark)
        return is_news and board.may_offer(poll.free)

    def deal(self, tx: Connection) -> dealing.Deal:
        """Give the jobs that are there to the agents that wait.

        Args:
            tx: A writing transaction; when it is undone, call `take_back`.
        """
        return dealing.deal(tx, self._context)

    def deal_changed(self, tx: Connection) -> dealing.Deal:
        """The same, with what the transaction itself has changed before.

        Args:
            tx: A writing transaction; when it is undone, call `take_back`.
        """
        self._context.board.touch(touched_so_far(tx))
        return self.deal(tx)

    def take_back(self, undone: dealing.Deal) -> None:
        """Let agents wait on whose jobs were not committed.

        Args:
            undone: What was given out.
        """
        dealing.take_back(self._context, undone)

    def take_contacts(self) -> dict[str, datetime]:
        """Agents that called since these were last written, and when; empty while that is early."""
        return self._context.contacts.take()

    def keep_contacts(self, tx: Connection, called: Mapping[str, datetime]) -> None:
        """Write when agents called, all of them together.

        Args:
            tx: A writing transaction.
            called: Agent to moment.
        """
        rows = [{"of": agent_id, "at": timestamp(at)} for agent_id, at in called.items()]
        tx.execute(_CALLED, rows)

    def stir(self) -> None:
        """A job that was kept for some agents may be open to all now."""
        self._context.board.look_at(self._context.clock.monotonic())
