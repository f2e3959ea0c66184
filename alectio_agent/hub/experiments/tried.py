"""What became of each attempt at the loops of an experiment, the newest first."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from alectio_agent.hub.store.tables import agents, attempts, experiments, jobs

MOST_SHOWN = 200

_TRIED = (
    select(
        jobs.c.loop,
        jobs.c.job_id,
        attempts.c.attempt,
        agents.c.name.label("agent"),
        attempts.c.state,
        func.coalesce(attempts.c.failed_step, attempts.c.lost_step).label("step"),
        attempts.c.failure_class,
        attempts.c.message,
        attempts.c.issued_at,
        attempts.c.started_at,
        attempts.c.ended_at,
    )
    .join(jobs, jobs.c.job_id == attempts.c.job_id)
    .join(experiments, experiments.c.experiment_id == jobs.c.experiment_id)
    .join(agents, agents.c.agent_id == attempts.c.agent_id, isouter=True)
    .order_by(jobs.c.loop.desc(), attempts.c.attempt.desc())
)


@dataclass(frozen=True)
class Tried:
    """One attempt.

    Attributes:
        step: In which it failed or fell silent; None otherwise.
    """

    loop: int
    job_id: str
    attempt: int
    agent: str | None
    state: str
    step: str | None
    failure_class: str | None
    message: str
    issued_at: str
    started_at: str | None
    ended_at: str | None

    @property
    def at(self) -> str:
        """When it was last heard of in the tables."""
        return self.ended_at or self.started_at or self.issued_at


def list_tried(tx: Connection, name: str) -> list[Tried]:
    """The newest attempts at an experiment's loops.

    Args:
        tx: Any transaction.
        name: Of the experiment.
    """
    found = _TRIED.where(experiments.c.name == name).limit(MOST_SHOWN)
    return [Tried(**row) for row in tx.execute(found).mappings()]


def find_tried(tx: Connection, name: str, loop: int, attempt: int) -> Tried | None:
    """One attempt; None when there is none.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        loop: From 0.
        attempt: From 1.
    """
    found = _TRIED.where(
        experiments.c.name == name, jobs.c.loop == loop, attempts.c.attempt == attempt
    )
    row = tx.execute(found).mappings().one_or_none()
    return None if row is None else Tried(**row)
