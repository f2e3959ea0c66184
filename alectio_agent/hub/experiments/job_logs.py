"""Whose log it is: who may send text of it, and which job is looked at."""

from sqlalchemy import Connection, bindparam, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.records import find_attempt, named_experiment
from alectio_agent.hub.store.tables import jobs

_LOOP = select(jobs.c.job_id).where(
    jobs.c.experiment_id == bindparam("of"),
    jobs.c.loop == bindparam("loop"),
    jobs.c.state != "rewound",
)
_JOB = select(jobs.c.job_id).where(jobs.c.job_id == bindparam("of"))


def check_log(tx: Connection, job_id: str, lease: str, attempt: int) -> None:
    """Say whether text of a log may be sent.

    It may for as long as the experiment is kept, whatever became of the attempt and its lease: the
    end of a failed attempt's log is what people look for, and it comes after the failure.

    Args:
        tx: Any transaction.
        job_id: Of the job.
        lease: That the call carries.
        attempt: Whose log it is.

    Raises:
        ProblemError: `lease-lost`: this lease was never given for the job; `invalid`: it is that
            of another attempt.
    """
    found = find_attempt(tx, lease)
    if found is None or found.job_id != job_id:
        raise ProblemError("lease-lost", "this platform does not know the job or its lease")
    if found.attempt != attempt:
        raise ProblemError(
            "invalid", f"attempt: found {attempt}; the lease is that of attempt {found.attempt}"
        )


def check_job(tx: Connection, job_id: str) -> None:
    """Say whether there is such a job.

    Args:
        tx: Any transaction.
        job_id: Any.

    Raises:
        ProblemError: `not-found`.
    """
    if tx.execute(_JOB, {"of": job_id}).first() is None:
        raise ProblemError("not-found", f"no job has the id {job_id}")


def job_of_loop(tx: Connection, name: str, loop: int) -> str:
    """The job that a loop is.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        loop: From 0.

    Returns:
        Its id.

    Raises:
        ProblemError: `not-found`.
    """
    experiment = named_experiment(tx, name)
    found: str | None = tx.execute(
        _LOOP, {"of": experiment.experiment_id, "loop": loop}
    ).scalar_one_or_none()
    if found is None:
        raise ProblemError("not-found", f"experiment `{name}` has no loop {loop} yet")
    return found
