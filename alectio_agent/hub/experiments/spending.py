"""How many samples and labels an experiment has used up."""

from dataclasses import dataclass

from sqlalchemy import Connection

from alectio_agent.hub.experiments.indices import chosen_up_to
from alectio_agent.hub.experiments.labels import excluded_samples
from alectio_agent.hub.experiments.records import Experiment, Job


@dataclass(frozen=True)
class Spent:
    """What the loops so far have used up.

    Attributes:
        chosen: Samples that are never chosen again.
        labels: Labels that were given or asked for: all of these but the excluded ones.
    """

    chosen: int = 0
    labels: int = 0


def spent_by(tx: Connection, experiment: Experiment, job: Job | None) -> Spent:
    """What has been used up once a loop has its batch.

    Args:
        tx: Any transaction.
        experiment: Of the job.
        job: Of the loop; None before loop 0.
    """
    if experiment.settings.labels.are_asked_for:
        return spent_up_to(tx, experiment.experiment_id, -1 if job is None else job.loop)
    return Spent() if job is None else Spent(job.labelled, job.labelled)


def spent_up_to(tx: Connection, experiment_id: str, loop: int) -> Spent:
    """The same where people are asked, whether the loop has a job yet or not.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
        loop: From 0; -1 before the first.
    """
    chosen, excluded = chosen_up_to(tx, experiment_id, loop), excluded_samples(tx, experiment_id)
    # Excluded samples whose loop was rewound are in no batch, and yet never chosen again.
    rest = excluded.difference(chosen)
    return Spent(len(chosen) + len(rest), len(chosen) - (len(excluded) - len(rest)))


def never_again(tx: Connection, experiment: Experiment, loop: int) -> list[int]:
    """The samples that must not be chosen for a loop.

    Args:
        tx: Any transaction.
        experiment: Any.
        loop: From 0; the batches up to the one before it are there.

    Returns:
        Indices, increasing: all that were chosen, and excluded ones of loops that were rewound.
    """
    chosen = chosen_up_to(tx, experiment.experiment_id, loop)
    return sorted([*chosen, *excluded_elsewhere(tx, experiment, loop)])


def excluded_elsewhere(tx: Connection, experiment: Experiment, loop: int) -> list[int]:
    """The excluded samples that are in no batch up to that of a loop: theirs was rewound.

    Args:
        tx: Any transaction.
        experiment: Any.
        loop: From 0.

    Returns:
        Indices, increasing.
    """
    if not experiment.settings.labels.are_asked_for:
        return []
    excluded = excluded_samples(tx, experiment.experiment_id)
    return sorted(excluded.difference(chosen_up_to(tx, experiment.experiment_id, loop)))
