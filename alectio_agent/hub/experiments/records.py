"""Rows as records, and how they are found."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.store.prepared import PreparedChange, PreparedQuery
from alectio_agent.hub.store.tables import attempts, experiments, jobs
from alectio_agent.hub.store.transactions import touch
from alectio_agent.wire.claims import PoolPin
from alectio_agent.wire.experiment import ExperimentSettings

OPEN_ATTEMPTS = ("claimed", "started")

_EXPERIMENT_NAMED = PreparedQuery(
    select(experiments).where(experiments.c.name == bindparam("wanted"))
)
_EXPERIMENT = PreparedQuery(
    select(experiments).where(experiments.c.experiment_id == bindparam("wanted"))
)
_CHANGE_EXPERIMENT = PreparedChange(
    update(experiments)
    .where(experiments.c.experiment_id == bindparam("wanted"))
    .values(version=experiments.c.version + 1)
)
_JOB = PreparedQuery(select(jobs).where(jobs.c.job_id == bindparam("wanted")))
_NEWEST_JOB = PreparedQuery(
    select(jobs)
    .where(jobs.c.experiment_id == bindparam("wanted"), jobs.c.state != "rewound")
    .order_by(jobs.c.loop.desc())
    .limit(1)
)
_CHANGE_JOB = PreparedChange(update(jobs).where(jobs.c.job_id == bindparam("wanted")))
_ATTEMPT = PreparedQuery(select(attempts).where(attempts.c.lease == bindparam("wanted")))
_CHANGE_ATTEMPT = PreparedChange(update(attempts).where(attempts.c.lease == bindparam("wanted")))


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        pipeline: None until it is known which one runs it.
        pool_size: None until it is known.
        pool_pins: What the pool was before each time it was extended, as JSON.
        control: Name of its control; None without.
        control_of: Name of the experiment it is the control of; None when it is none.
        series: The name in the file that it was made from, when it was made anew under another.
        is_over: No further loop will be made; metrics may still be owed.
        ending: Why it is over before its last loop; empty otherwise.
        owed_loop: The loop whose selection is owed; None when none is.
    """

    position: int
    experiment_id: str
    name: str
    settings: ExperimentSettings
    pipeline: str | None
    state: str
    reason: str
    pool_size: int | None
    pool_digest: str | None
    pool_pins: str
    priority: int
    control: str | None
    control_of: str | None
    series: str | None
    is_over: bool
    ending: str
    owed_loop: int | None
    version: int
    created_at: str
    ended_at: str | None


@dataclass(frozen=True)
class Job:
    """One loop.

    Attributes:
        state: `rewound` is left out wherever jobs are looked for: it waits to be made again.
        labelled: Samples that its train gets; in the state `labelling`, that the loop before got.
        attempt: Number of the newest attempt; 0 before the first.
        fresh_attempt: Failures up to this attempt are forgiven: a person said so.
        lease: Of the newest attempt, or of the one that committed since.
        ckpt_file: What the counted train wrote; None before there is one.
        resume_file: What the counted train of the loop before wrote.
        is_from_scratch: A checkpoint was missing: train from nothing.
        asked_at: When people were asked for labels of its batch; None when nobody is.
        labels_upto: The highest position in the table of labels that counts for its train.
    """

    position: int
    job_id: str
    experiment_id: str
    loop: int
    state: str
    labelled: int
    has_infer: bool
    attempt: int
    fresh_attempt: int
    lease: str | None
    agent_id: str | None
    ckpt_file: str | None
    resume_file: str | None
    is_from_scratch: bool
    problem: str
    available_at: str
    done_at: str | None
    asked_at: str | None
    labels_upto: int | None


@dataclass(frozen=True)
class Attempt:
    """One try of one agent at one job.

    Attributes:
        steps: What it was given to do, joined by spaces.
        train_lease: Of the attempt whose train run this one builds upon.
        lost_step: The step in which it fell silent; None while it was heard of.
    """

    lease: str
    job_id: str
    attempt: int
    agent_id: str
    seq: int
    state: str
    steps: str
    resume_from: str | None
    ckpt_file: str
    train_lease: str
    issued_at: str
    started_at: str | None
    ended_at: str | None
    failure_class: str | None
    failed_step: str | None
    lost_step: str | None
    message: str
    traceback: str

    @property
    def is_open(self) -> bool:
        """Whether its lease is good."""
        return self.state in OPEN_ATTEMPTS


def experiment_record(row: RowMapping | dict[str, Any]) -> Experiment:
    """A row as a record.

    Args:
        row: With all columns of the table.
    """
    return Experiment(**{**row, "settings": _settings(row["settings"])})


@lru_cache(maxsize=64)
def _settings(text: str) -> ExperimentSettings:
    """Read once for all the calls of a loop: that takes as long as all other columns together."""
    return ExperimentSettings.model_validate_json(text)


def pool_pins(experiment: Experiment) -> list[PoolPin]:
    """What the pool was before each time it was extended, oldest first.

    Args:
        experiment: Any.
    """
    return [PoolPin.model_validate(pin) for pin in json.loads(experiment.pool_pins)]


def find_experiment(tx: Connection, name: str) -> Experiment | None:
    """Look an experiment up by its name; None when there is none.

    Args:
        tx: Any transaction.
        name: Of the experiment.
    """
    return _experiment(tx, _EXPERIMENT_NAMED, name)


def named_experiment(tx: Connection, name: str) -> Experiment:
    """The experiment of that name.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`.
    """
    found = find_experiment(tx, name)
    if found is None:
        raise ProblemError("not-found", f"no experiment is called `{name}`")
    return found


def experiment_in_state(
    tx: Connection, name: str, states: tuple[str, ...], expected: str
) -> Experiment:
    """The experiment of that name, in a state that a verb can be used in.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        states: That will do.
        expected: What they have in common, such as `runs`.

    Raises:
        ProblemError: `not-found` or `conflict`.
    """
    experiment = named_experiment(tx, name)
    if experiment.state not in states:
        raise ProblemError(
            "conflict",
            f"experiment `{name}` is {experiment.state}; expected one that {expected}",
        )
    return experiment


def experiment_of(tx: Connection, experiment_id: str) -> Experiment:
    """The experiment with that id, which exists.

    Args:
        tx: Any transaction.
        experiment_id: From another table.
    """
    found = _experiment(tx, _EXPERIMENT, experiment_id)
    assert found is not None, experiment_id  # noqa: S101 - experiments are never deleted
    return found


def _experiment(tx: Connection, query: PreparedQuery, wanted: str) -> Experiment | None:
    row = query.row(tx, wanted=wanted)
    return None if row is None else experiment_record(row)


def change_experiment(tx: Connection, experiment_id: str, **values: object) -> None:
    """Change an experiment, and say that something about it changed.

    Args:
        tx: A writing transaction.
        experiment_id: Whose.
        values: Columns and their new values; none when a job or an attempt changed.
    """
    _CHANGE_EXPERIMENT.run(tx, wanted=experiment_id, **values)
    touch(tx, experiment_id)


def job_of(tx: Connection, job_id: str) -> Job:
    """The job with that id, which exists.

    Args:
        tx: Any transaction.
        job_id: From another table.
    """
    row = _JOB.row(tx, wanted=job_id)
    assert row is not None, job_id  # noqa: S101 - jobs are never deleted
    return Job(**row)


def newest_job(tx: Connection, experiment_id: str) -> Job | None:
    """The job of the highest loop that is not rewound; None before loop 0.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
    """
    row = _NEWEST_JOB.row(tx, wanted=experiment_id)
    return None if row is None else Job(**row)


def change_job(tx: Connection, job_id: str, **values: object) -> None:
    """Change a job.

    Args:
        tx: A writing transaction.
        job_id: Which.
        values: Columns and their new values.
    """
    _CHANGE_JOB.run(tx, wanted=job_id, **values)


def find_attempt(tx: Connection, lease: str) -> Attempt | None:
    """The attempt with that lease; None when there is none.

    Args:
        tx: Any transaction.
        lease: Any.
    """
    row = _ATTEMPT.row(tx, wanted=lease)
    return None if row is None else Attempt(**row)


def change_attempt(tx: Connection, lease: str, **values: object) -> None:
    """Change an attempt.

    Args:
        tx: A writing transaction.
        lease: Which.
        values: Columns and their new values.
    """
    _CHANGE_ATTEMPT.run(tx, wanted=lease, **values)
