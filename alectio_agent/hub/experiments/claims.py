"""Claims: an agent gets a job with its lease; the same poll gets the same job."""

from functools import partial

from sqlalchemy import Connection, bindparam, insert, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.ids import new_id
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.indices import chosen_up_to, unlabelled
from alectio_agent.hub.experiments.labels import labels_of_loop
from alectio_agent.hub.experiments.records import (
    Attempt,
    Experiment,
    Job,
    change_attempt,
    change_experiment,
    change_job,
    experiment_of,
    find_attempt,
    job_of,
    pool_pins,
)
from alectio_agent.hub.experiments.registry import Agent, calling_agent, check_told, note_contact
from alectio_agent.hub.experiments.scheduling import Candidate
from alectio_agent.hub.experiments.waiting import wait_for_person
from alectio_agent.hub.store.prepared import PreparedChange
from alectio_agent.hub.store.tables import agents, attempts
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.claims import (
    Claim,
    ClaimRequest,
    InferOrder,
    InferPayload,
    Pool,
    Refusal,
    StepOrder,
    TestOrder,
    TestPayload,
    TrainOrder,
    TrainPayload,
)
from alectio_agent.wire.names import checkpoint_name

_ATTEMPT = PreparedChange(insert(attempts))
_NEWEST = PreparedChange(update(agents).where(agents.c.agent_id == bindparam("of")))


def take_poll(tx: Connection, context: Context, request: ClaimRequest) -> Claim | None:
    """Look at a poll that memory alone cannot answer: a first one, a repeated one, a refusal.

    Args:
        tx: A writing transaction; written to only when the poll says something new.
        context: For time and memory.
        request: The poll.

    Returns:
        The job of the same poll once more; None when it may wait for one.

    Raises:
        ProblemError: `unknown-agent`, `superseded-boot` or `stale-seq`.
    """
    context.roll.read(tx)
    agent = calling_agent(tx, context, request.agent_id, request.boot)
    if request.seq < agent.last_seq:
        raise ProblemError(
            "stale-seq", f"seq: found {request.seq}; the newest was {agent.last_seq}"
        )
    if request.refused is not None:
        _take_refusal(tx, context, agent, request.refused)
    again = current_claim(tx, agent.last_lease) if request.seq == agent.last_seq else None
    if again is None:
        check_told(tx, context, agent, request.seq)
    note_contact(tx, context, agent.agent_id)
    return again


def _take_refusal(tx: Connection, context: Context, agent: Agent, refused: Refusal) -> None:
    if refused.seq != agent.last_seq or agent.last_lease is None:
        return
    attempt = find_attempt(tx, agent.last_lease)
    if attempt is None or not attempt.is_open:
        return
    message = f"agent {agent.name} refused the job: {refused.reason}"
    change_attempt(
        tx,
        attempt.lease,
        state="failed",
        failure_class="refused",
        message=message,
        ended_at=context.now(),
    )
    job = job_of(tx, attempt.job_id)
    if job.lease == attempt.lease and job.state != "done":
        wait_for_person(tx, context, job, message)


def current_claim(tx: Connection, lease: str | None) -> Claim | None:
    """The job of an agent's newest claim once more, while that attempt is current.

    Args:
        tx: Any transaction.
        lease: Of that claim.
    """
    attempt = find_attempt(tx, lease) if lease else None
    if attempt is None or not attempt.is_open:
        return None
    job = job_of(tx, attempt.job_id)
    if job.lease != attempt.lease:
        return None
    return _as_claim(tx, experiment_of(tx, job.experiment_id), job, attempt)


def issue(tx: Connection, context: Context, agent: Agent, seq: int, found: Candidate) -> Claim:
    """Give an agent a job.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        agent: Who gets it.
        seq: Of its poll.
        found: The job, which is available, and what to do for it.
    """
    attempt = _new_attempt(context, agent, seq, found)
    job = found.job
    _ATTEMPT.run(tx, **vars(attempt))
    change_job(
        tx,
        job.job_id,
        state="claimed",
        attempt=attempt.attempt,
        lease=attempt.lease,
        agent_id=agent.agent_id,
    )
    change_experiment(tx, job.experiment_id)
    newest = {"last_seq": seq, "last_lease": attempt.lease, "last_contact_at": attempt.issued_at}
    _NEWEST.run(tx, of=agent.agent_id, **newest)
    after_commit(tx, partial(context.leases.distrust, job.job_id))
    after_commit(tx, partial(context.leases.see, job.job_id, attempt.lease, agent.agent_id))
    after_commit(tx, partial(context.roll.note_claim, agent.agent_id, seq, attempt.lease))
    return _as_claim(tx, found.experiment, job, attempt)


def _new_attempt(context: Context, agent: Agent, seq: int, found: Candidate) -> Attempt:
    job, plan, lease = found.job, found.plan, new_id()
    number = job.attempt + 1
    return Attempt(
        lease=lease,
        job_id=job.job_id,
        attempt=number,
        agent_id=agent.agent_id,
        seq=seq,
        state="claimed",
        steps=" ".join(plan.steps),
        resume_from=plan.resume_from,
        ckpt_file=plan.ckpt_file or checkpoint_name(found.experiment.name, job.loop, number),
        train_lease=plan.train_lease or lease,
        issued_at=context.now(),
        started_at=None,
        ended_at=None,
        failure_class=None,
        failed_step=None,
        lost_step=None,
        message="",
        traceback="",
    )


def _as_claim(tx: Connection, experiment: Experiment, job: Job, attempt: Attempt) -> Claim:
    settings = experiment.settings
    return Claim(
        job=f"{experiment.name}/{job.loop}",
        job_id=job.job_id,
        experiment=experiment.name,
        experiment_id=experiment.experiment_id,
        pipeline=experiment.pipeline or "",
        task=settings.task,
        classes=settings.class_count,
        class_names=settings.class_names,
        output=settings.output_kind,
        pool=Pool(
            size=experiment.pool_size or 0,
            digest=experiment.pool_digest,
            earlier=pool_pins(experiment),
        ),
        loop=job.loop,
        loops=settings.loops,
        attempt=attempt.attempt,
        lease=attempt.lease,
        seed=settings.seed,
        steps=_orders(tx, experiment, job, attempt),
    )


def _orders(tx: Connection, experiment: Experiment, job: Job, attempt: Attempt) -> list[StepOrder]:
    chosen = chosen_up_to(tx, job.experiment_id, job.loop)
    name = attempt.ckpt_file
    orders: list[StepOrder] = []
    for step in attempt.steps.split():
        if step == "train":
            labels = labels_of_loop(tx, experiment, job.loop, job.labels_upto)
            train = TrainPayload(
                resume_from=attempt.resume_from,
                ckpt_file=name,
                labeled=chosen if labels is None else list(labels),
                labels=None if labels is None else {str(at): labels[at] for at in labels},
            )
            orders.append(TrainOrder(payload=train))
        elif step == "test":
            orders.append(TestOrder(payload=TestPayload(ckpt_file=name)))
        else:
            rest = unlabelled(experiment.pool_size or 0, chosen)
            orders.append(InferOrder(payload=InferPayload(ckpt_file=name, unlabeled=rest)))
    return orders
