"""Offers a job to any agent before its time: a person knows that the one that has it is gone."""

from functools import partial

from sqlalchemy import Connection, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.units import format_duration
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.labelling import awaited_labels
from alectio_agent.hub.experiments.losses import next_step
from alectio_agent.hub.experiments.progress import mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_attempt,
    change_experiment,
    experiment_in_state,
    find_attempt,
    newest_job,
)
from alectio_agent.hub.experiments.scheduling import is_kept_for_holders
from alectio_agent.hub.experiments.waiting import make_available
from alectio_agent.hub.store.tables import agents
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.protocol import LEASE_S


def reassign(tx: Connection, context: Context, name: str) -> None:
    """Offer the newest job to any agent now.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`, or `conflict`: it does not run; its job is with an agent that is
            heard of, or free already, or must stay with the holders of its checkpoint.
    """
    experiment = experiment_in_state(tx, name, ("running",), "runs")
    job = newest_job(tx, experiment.experiment_id)
    if job is None or job.state == "done":
        raise _not_free(f"experiment `{name}` has no job now: the next samples are being chosen")
    if job.state == "labelling":
        raise _not_free(f"{name}/{job.loop} waits for {awaited_labels(tx, experiment)}")
    if experiment.settings.affinity == "strict":
        raise _not_free(
            f"{name}/{job.loop}: `affinity: strict` keeps it for agents that hold its checkpoint; "
            "expected `affinity: prefer`"
        )
    if job.state == "available":
        _check_kept(tx, context, experiment, job)
        change_experiment(tx, experiment.experiment_id)
    else:
        _give_up(tx, context, experiment, job)
    # After what made it available, which starts the time that holders of its checkpoint have.
    after_commit(tx, partial(context.leases.offer_to_all, job.job_id))
    mark_changed(tx, context, name)


def _check_kept(tx: Connection, context: Context, experiment: Experiment, job: Job) -> None:
    if not is_kept_for_holders(tx, context, experiment, job):
        raise _not_free(
            f"{experiment.name}/{job.loop} waits for no particular agent: the first that asks for "
            f"pipeline `{experiment.pipeline}` gets it"
        )


def _give_up(tx: Connection, context: Context, experiment: Experiment, job: Job) -> None:
    """Its lease stays good until another attempt commits: the agent may only be offline."""
    attempt = find_attempt(tx, job.lease or "")
    if attempt is not None:
        silent_s = context.leases.silent_s(job.job_id, attempt.lease, attempt.agent_id)
        if silent_s <= LEASE_S:
            raise _not_free(
                f"{experiment.name}/{job.loop} is with agent {_name(tx, attempt.agent_id)}, heard "
                f"of {format_duration(silent_s)} ago; expected more than {LEASE_S} s of silence"
            )
        change_attempt(tx, attempt.lease, lost_step=next_step(tx, attempt))
    make_available(tx, context, job, fresh_attempt=job.attempt)


def _name(tx: Connection, agent_id: str) -> str:
    found = select(agents.c.name).where(agents.c.agent_id == agent_id)
    return str(tx.execute(found).scalar_one())


def _not_free(message: str) -> ProblemError:
    return ProblemError("conflict", f"{message}. Nothing was changed", code="E-EXP-09")
