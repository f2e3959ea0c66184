"""How many samples and labels an experiment has used up."""

from dataclasses import dataclass

from sqlalchemy import Connection

from alectio_agent.hub.experiments.indices import chosen_up_to
from alectio_agent.hub.experiments.labels import has_exclusions, label_states
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
    if job is None:
        return Spent()
    if not experiment.settings.labels.are_asked_for:
        return Spent(job.labelled, job.labelled)
    return spent_up_to(tx, experiment.experiment_id, job.loop)


def spent_up_to(tx: Connection, experiment_id: str, loop: int) -> Spent:
    """The same where people are asked, whether the loop has a job yet or not.

    Args:
        tx: Any transaction.
        experiment_id: Whose.
        loop: From 0.
    """
    chosen = chosen_up_to(tx, experiment_id, loop)
    if not has_exclusions(tx, experiment_id):
        return Spent(len(chosen), len(chosen))
    states = label_states(tx, experiment_id)
    excluded = sum(states.get(sample) is False for sample in chosen)
    return Spent(len(chosen), len(chosen) - excluded)
