"""Forgets an agent that is gone for good: only its name stays, in the history of loops."""

from functools import partial

from sqlalchemy import Connection, delete, select, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.units import format_duration
from alectio_agent.hub.experiments.agent_views import list_agents
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.losses import next_step, release
from alectio_agent.hub.experiments.records import Attempt, change_attempt, job_of
from alectio_agent.hub.experiments.registry import open_attempts
from alectio_agent.hub.experiments.waiting import make_available
from alectio_agent.hub.store.tables import REMOVED, agents, checkpoints, offers
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.operation import AgentView
from alectio_agent.wire.protocol import LEASE_S

CODE = "E-HUB-07"


def remove_agent(tx: Connection, context: Context, agent_id: str, *, is_forced: bool) -> AgentView:
    """Forget an agent: its jobs, and those that wait for its checkpoints, are offered to others.

    One that calls again is told `unknown-agent`, and registers as a new one. A lease that it may
    still hold stays good until another attempt commits, so that nothing is thrown away that was
    computed meanwhile.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        agent_id: Who.
        is_forced: Though it has jobs in hand and was heard of a moment ago.

    Returns:
        What was known of it.

    Raises:
        ProblemError: `not-found`, or `conflict`: it holds a lease that is good.
    """
    view = next((each for each in list_agents(tx, context) if each.agent_id == agent_id), None)
    if view is None:
        raise ProblemError("not-found", f"there is no agent with the id {agent_id}", code=CODE)
    held = open_attempts(tx, agent_id)
    for attempt in () if is_forced else held:
        _check_silent(tx, context, attempt, view.name)
    for attempt in held:
        _let_go(tx, context, attempt)
    kept = select(checkpoints.c.experiment).where(checkpoints.c.agent_id == agent_id)
    holding = set(tx.execute(kept).scalars())
    for table in (offers, checkpoints):
        tx.execute(delete(table).where(table.c.agent_id == agent_id))
    # Another life of the installation must find nothing: it is told apart by these two.
    tx.execute(
        update(agents)
        .where(agents.c.agent_id == agent_id)
        .values(installation_id=f"removed:{agent_id}", boot_id=REMOVED)
    )
    context.supplies.change()
    after_commit(tx, partial(_forget, context, agent_id, holding))
    return view


def _check_silent(tx: Connection, context: Context, attempt: Attempt, name: str) -> None:
    silent_s = context.leases.silent_s(attempt.job_id, attempt.lease, attempt.agent_id)
    if silent_s <= LEASE_S:
        raise ProblemError(
            "conflict",
            f"agent {name} has a job in hand (loop {job_of(tx, attempt.job_id).loop}), heard of "
            f"{format_duration(silent_s)} ago; expected more than {LEASE_S} s of silence. Nothing "
            "was changed",
            code=CODE,
        )


def _let_go(tx: Connection, context: Context, attempt: Attempt) -> None:
    """Offer its job to others; as after `reassign`, the first commit decides."""
    if attempt.state == "claimed":
        release(tx, context, attempt)
        return
    job = job_of(tx, attempt.job_id)
    if job.lease == attempt.lease and job.state == "running":
        change_attempt(tx, attempt.lease, lost_step=next_step(tx, attempt))
        make_available(tx, context, job, fresh_attempt=job.attempt)


def _forget(context: Context, agent_id: str, holding: set[str]) -> None:
    context.roll.forget(agent_id)
    context.contacts.forget(agent_id)
    context.board.doubt_holders(holding)
    context.polls.doubt(agent_id)
