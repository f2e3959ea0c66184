"""Agents: who they are, what they offer, what they hold."""

import json
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.ids import new_id
from alectio_agent.hub.experiments.agent_rows import offered_by, write_checkpoints, write_offers
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.losses import release, release_lost
from alectio_agent.hub.experiments.records import OPEN_ATTEMPTS, Attempt
from alectio_agent.hub.experiments.roll import Kind
from alectio_agent.hub.experiments.starting import settle
from alectio_agent.hub.store.prepared import PreparedChange, PreparedQuery
from alectio_agent.hub.store.tables import agents, attempts
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.agents import Boot, Registration

_AGENT = PreparedQuery(select(agents).where(agents.c.agent_id == bindparam("wanted")))
_INSTALLED = PreparedQuery(select(agents).where(agents.c.installation_id == bindparam("wanted")))
_OPEN = PreparedQuery(
    select(attempts).where(
        attempts.c.agent_id == bindparam("of"),
        or_(*(attempts.c.state == state for state in OPEN_ATTEMPTS)),
    )
)
_TAKE_IN = PreparedChange(insert(agents))
_CHANGE = PreparedChange(update(agents).where(agents.c.agent_id == bindparam("wanted")))


@dataclass(frozen=True)
class Agent:
    """One agent."""

    agent_id: str
    installation_id: str
    name: str
    version: str
    tags: str
    slots: int
    boot_count: int
    boot_id: str
    last_seq: int
    last_lease: str | None
    registered_at: str
    last_contact_at: str


def register(tx: Connection, context: Context, said: Registration) -> str:
    """Take an agent in, or take note of its next life.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        said: What it says of itself.

    Returns:
        Its id, the same for the same installation.

    Raises:
        ProblemError: `superseded-boot`: a later life of this installation is known.
    """
    context.roll.read(tx)
    known = _find(tx, said.installation_id)
    agent_id = known.agent_id if known else new_id()
    if known:
        _check_boot(known, said.boot)
    _write(tx, context, agent_id, said, known)
    context.supplies.change()
    write_offers(tx, agent_id, said)
    holding = write_checkpoints(tx, agent_id, said)
    after_commit(tx, partial(_remember, context, agent_id, said, holding))
    is_same_boot = known is not None and known.boot_id == said.boot.id
    _keep_held(tx, context, agent_id, said, is_same_boot=is_same_boot)
    note_contact(tx, context, agent_id, is_new=True)
    return agent_id


def note_contact(tx: Connection, context: Context, agent_id: str, *, is_new: bool = False) -> None:
    """An agent called. A hub that restarted learns what its agents offer from their first call.

    Args:
        tx: A writing transaction.
        context: For memory.
        agent_id: Who.
        is_new: It has just said what it offers.
    """
    is_first = is_new or not context.roll.is_heard(agent_id)
    # At once, and not after the commit: the experiments that start below ask who has called.
    context.contacts.note(agent_id)
    if not is_first:
        return
    offered = offered_by(tx, agent_id)
    unheard = context.roll.unheard(agent_id, offered)
    if unheard.is_all or unheard.changed:
        settle(tx, context, None if unheard.is_all else unheard.changed)
    after_commit(tx, partial(context.roll.hear, agent_id, offered, unheard))


def leave(tx: Connection, context: Context, agent_id: str) -> None:
    """Let an agent go: what it claimed and never started is available at once.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        agent_id: Who; an unknown one has left already.
    """
    for attempt in open_attempts(tx, agent_id):
        if attempt.state == "claimed":
            release(tx, context, attempt)


def calling_agent(tx: Connection, context: Context, agent_id: str, boot_id: str) -> Agent:
    """The agent that calls, in the life that is the newest.

    Args:
        tx: Any transaction.
        context: Knows which lives have ended.
        agent_id: As it was told.
        boot_id: Of the life that calls.

    Raises:
        ProblemError: `unknown-agent`, also for a life that this process never heard of: it may be
            newer than the tables, which may come from a backup. `superseded-boot`.
    """
    row = _AGENT.row(tx, wanted=agent_id)
    if row is None:
        raise ProblemError("unknown-agent", "this platform does not know the agent; register again")
    agent = Agent(**row)
    if agent.boot_id == boot_id:
        return agent
    if context.roll.is_earlier(agent_id, boot_id):
        raise ProblemError("superseded-boot", _superseded(agent))
    raise ProblemError("unknown-agent", "this platform does not know this start of the agent")


def check_told(tx: Connection, context: Context, agent: Agent, seq: int) -> None:
    """See whether an agent must say again which jobs it holds.

    A hub that was restored from a backup has tables that are older than its agents: it may wait
    for jobs that were done long ago, and know nothing of those that run.

    Args:
        tx: Any transaction.
        context: Knows who registered at this process.
        agent: That polls.
        seq: Of its poll.

    Raises:
        ProblemError: `unknown-agent`: once in the life of this process, of an agent that had jobs.
    """
    if context.roll.has_registered(agent.agent_id):
        return
    if seq > agent.last_seq + 1 or open_attempts(tx, agent.agent_id):
        raise ProblemError(
            "unknown-agent", "this platform has started anew; register again, and say what is held"
        )


def _find(tx: Connection, installation_id: str) -> Agent | None:
    row = _INSTALLED.row(tx, wanted=installation_id)
    return None if row is None else Agent(**row)


def _check_boot(known: Agent, boot: Boot) -> None:
    is_twin = boot.count == known.boot_count and boot.id != known.boot_id
    if boot.count < known.boot_count or is_twin:
        raise ProblemError("superseded-boot", _superseded(known))


def _superseded(agent: Agent) -> str:
    return (
        f"another process runs with the identity of agent {agent.name} (boot "
        f"{agent.boot_count}). Give a copied agent a state folder of its own"
    )


def _write(
    tx: Connection, context: Context, agent_id: str, said: Registration, known: Agent | None
) -> None:
    values = {
        "name": said.name,
        "version": said.version,
        "tags": json.dumps(sorted(set(said.tags))),
        "slots": said.slots,
        "boot_count": said.boot.count,
        "boot_id": said.boot.id,
        "last_contact_at": context.now(),
    }
    if known is None:
        new = {"agent_id": agent_id, "installation_id": said.installation_id, "last_seq": 0}
        _TAKE_IN.run(tx, **values, **new, registered_at=context.now())
        return
    if known.boot_id != said.boot.id:
        values |= {"last_seq": 0, "last_lease": None, "registered_at": context.now()}
    _CHANGE.run(tx, wanted=agent_id, **values)


def _remember(context: Context, agent_id: str, said: Registration, holding: set[str]) -> None:
    """What registered is known without asking the tables; a poll of its last life ends."""
    offered = {
        offer.name: (offer.name, offer.state_size if offer.pool_size is None else offer.pool_size,
                     offer.store)
        for offer in said.pipelines
    }  # fmt: skip
    offers_said = tuple(offered[name] for name in sorted(offered))
    kind = Kind(frozenset(said.tags), offers_said, said.slots)
    context.roll.enrol(agent_id, said.boot.id, kind)
    context.board.doubt_holders(holding)
    context.polls.doubt(agent_id)


def _keep_held(
    tx: Connection, context: Context, agent_id: str, said: Registration, *, is_same_boot: bool
) -> None:
    """Leases that the agent names get a fresh period; it no longer has the others.

    A call that comes late, or a second time, says nothing of jobs that were claimed after it.
    """
    holding = set(said.holding)
    for attempt in open_attempts(tx, agent_id):
        if attempt.lease in holding:
            see = partial(context.leases.see, attempt.job_id, attempt.lease, agent_id)
            after_commit(tx, see)
        elif is_same_boot and said.seq is not None and attempt.seq > said.seq:
            continue
        elif attempt.state == "claimed":
            release(tx, context, attempt)
        else:
            release_lost(tx, context, attempt, "its agent came back without it")


def open_attempts(tx: Connection, agent_id: str) -> list[Attempt]:
    """Attempts of an agent that have not ended.

    Args:
        tx: Any transaction.
        agent_id: Who.
    """
    return [Attempt(**row) for row in _OPEN.rows(tx, of=agent_id)]
