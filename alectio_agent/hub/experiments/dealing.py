"""Gives the jobs that are there to the agents that wait: one look for all of them.

Which agent gets which job is found in memory; the tables have the last word on each pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.claims import current_claim, issue
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.entry import Entry, Reserve
from alectio_agent.hub.experiments.poll import Poll
from alectio_agent.hub.experiments.records import experiment_of, job_of
from alectio_agent.hub.experiments.registry import calling_agent
from alectio_agent.hub.experiments.roll import Kind
from alectio_agent.hub.experiments.scheduling import Candidate, find_reserve, make_plan
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.claims import Claim

MOST_DEALT = 64
"""Jobs given out in one transaction: the first agents get theirs before the last are found."""


@dataclass
class Deal:
    """What a look has given out.

    Attributes:
        dealt: Polls and their jobs.
        brief: Polls that do not wait, and for which there was nothing.
        opens_at: When a job that is kept for others is next offered to all; None never.
        is_more: Another look is to follow at once.
    """

    dealt: list[tuple[Poll, Claim]] = field(default_factory=list)
    brief: list[Poll] = field(default_factory=list)
    opens_at: float | None = None
    is_more: bool = False

    def opens(self, at: float | None, now: float) -> None:
        """A job is kept until then.

        Args:
            at: By the monotonic clock; None for ever.
            now: By the same clock.
        """
        if at is not None and at > now:
            self.opens_at = at if self.opens_at is None else min(at, self.opens_at)


def deal(tx: Connection, context: Context) -> Deal:
    """Give jobs to agents that wait.

    Args:
        tx: A writing transaction; nothing is written when no agent gets a job.
        context: For time and memory.

    Returns:
        Who gets what. All of it is undone with the transaction: then call `take_back`.
    """
    board, polls = context.board, context.polls
    mark, serial = board.mark, polls.newest_serial
    context.roll.read(tx)
    board.read(tx)
    found = Deal()
    try:
        for entry in board.available(polls.pipelines()):
            if len(found.dealt) == MOST_DEALT:
                found.is_more = True
                return found
            if not polls.kinds(entry.pipeline):
                continue
            _offer(tx, context, entry, found)
    except BaseException:
        take_back(context, found)
        raise
    board.opens_at = found.opens_at
    after_commit(tx, lambda: found.brief.extend(polls.considered(mark, serial)))
    return found


def take_back(context: Context, undone: Deal) -> None:
    """A deal was not committed: its polls wait on.

    Args:
        context: For memory.
        undone: What was given out.
    """
    context.board.forget()
    for poll, _ in undone.dealt:
        context.polls.put_back(poll, context.roll.kind_of(poll.agent_id))


def _offer(tx: Connection, context: Context, entry: Entry, found: Deal) -> None:
    """Give one job to the agent that comes first, if any may have it."""
    for poll in _in_turn(tx, context, entry, found):
        if not context.polls.pick(poll):
            continue
        try:
            claim = _give(tx, context, entry, poll)
        except ProblemError:
            # It came from an earlier life: its own look at the tables tells it so.
            _doubt(context, poll)
            continue
        except BaseException:
            context.polls.put_back(poll, context.roll.kind_of(poll.agent_id))
            raise
        if claim is None:
            context.polls.put_back(poll, context.roll.kind_of(poll.agent_id))
            continue
        found.dealt.append((poll, claim))
        after_commit(tx, partial(context.polls.settle, poll, claim))
        if claim.job_id == entry.job_id:
            context.board.take(entry, poll.agent_id)
            return


def _doubt(context: Context, poll: Poll) -> None:
    context.polls.put_back(poll, context.roll.kind_of(poll.agent_id))
    context.polls.doubt(poll.agent_id)


def _give(tx: Connection, context: Context, entry: Entry, poll: Poll) -> Claim | None:
    agent = calling_agent(tx, context, poll.agent_id, poll.boot)
    if poll.seq < agent.last_seq:
        raise ProblemError("stale-seq", f"seq: found {poll.seq}; the newest was {agent.last_seq}")
    if poll.seq == agent.last_seq and (again := current_claim(tx, agent.last_lease)) is not None:
        return again
    job, experiment = job_of(tx, entry.job_id or ""), experiment_of(tx, entry.experiment_id)
    plan = make_plan(tx, context, agent, experiment, job)
    if plan is None:
        return None
    return issue(tx, context, agent, poll.seq, Candidate(experiment, job, plan))


def _in_turn(tx: Connection, context: Context, entry: Entry, found: Deal) -> Iterator[Poll]:
    """Those who may have a job: first who goes on with it, then who resumes from the loop before.

    Among the latter first who holds a part of this loop's train.

    Among these the longest waiting one.
    """
    reserve = entry.reserve
    if reserve is None:
        experiment, job = experiment_of(tx, entry.experiment_id), job_of(tx, entry.job_id or "")
        reserve = entry.reserve = find_reserve(tx, context, experiment, job)
    for holders in (reserve.trained, reserve.partial, reserve.earlier):
        yield from _holders(context, entry, reserve, holders)
    now = context.clock.monotonic()
    is_open = reserve.opens_at is not None and reserve.opens_at <= now
    found.opens(reserve.opens_at, now)
    if reserve.stores:
        yield from _firsts(context, entry, reserve, stores=reserve.stores)
    if is_open:
        yield from _firsts(context, entry, reserve)


def _holders(
    context: Context, entry: Entry, reserve: Reserve, holders: frozenset[str]
) -> Iterator[Poll]:
    waiting = (context.polls.of_agent(agent_id) for agent_id in holders)
    able = [
        poll
        for poll in waiting
        if poll is not None
        and poll.key is not None
        and entry.pipeline in poll.free
        and _may_run(context, entry, reserve, poll.key[1])
        and _is_free(context, entry, poll.key[1], poll)
    ]
    yield from sorted(able, key=lambda poll: poll.place)


def _firsts(
    context: Context, entry: Entry, reserve: Reserve, stores: frozenset[str] | None = None
) -> Iterator[Poll]:
    """The first of each line that may have the job, the longest waiting first."""
    found = []
    for key in context.polls.kinds(entry.pipeline):
        kind = key[1]
        is_on_store = stores is None or kind.store_of(entry.pipeline) in stores
        if not is_on_store or not _may_run(context, entry, reserve, kind):
            continue
        line = context.polls.in_line(key)
        first = next((poll for poll in line if _is_free(context, entry, kind, poll)), None)
        if first is not None:
            found.append(first)
    yield from sorted(found, key=lambda poll: poll.place)


def _may_run(context: Context, entry: Entry, reserve: Reserve, kind: Kind) -> bool:
    """Whether agents of that kind may have the job now."""
    size = kind.size_of(entry.pipeline)
    is_able = reserve.tags <= kind.tags and entry.fits(size)
    return is_able and not context.board.is_led(entry, size)


def _is_free(context: Context, entry: Entry, kind: Kind, poll: Poll) -> bool:
    size = kind.size_of(entry.pipeline)
    return not context.board.is_busy_above(entry, poll.agent_id, size, kind.slots)
