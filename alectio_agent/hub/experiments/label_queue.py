"""Which samples people are asked for, and what is there already."""

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.indices import unpack
from alectio_agent.hub.experiments.label_checks import asking_experiment
from alectio_agent.hub.experiments.labelling import awaited_labels
from alectio_agent.hub.experiments.labels import StoredLabel, all_labels, newest_of
from alectio_agent.hub.experiments.record_names import names_of
from alectio_agent.hub.experiments.records import Experiment, Job
from alectio_agent.hub.store.tables import jobs, selections
from alectio_agent.wire.labels import AskedSample, LabelQueue, LoopLabels


def label_queue(tx: Connection, context: Context, name: str, *, is_whole: bool) -> LabelQueue:
    """The samples that people are asked for.

    Args:
        tx: Any transaction.
        context: For names of samples.
        name: Of the experiment.
        is_whole: Those of loops with all their labels too.

    Returns:
        With the newest label of each.

    Raises:
        ProblemError: `not-found`, or `conflict`: it asks nobody.
    """
    experiment = asking_experiment(tx, name)
    known = newest_of(all_labels(tx, experiment))
    loops, samples = [], []
    for job, chosen in _batches(tx, experiment):
        batch = unpack(chosen.indices)
        tally = _tally(experiment, job, batch, known)
        loops.append(tally)
        if is_whole or tally.returned < tally.asked:
            names = names_of(tx, context.names, experiment, batch)
            samples += _samples(job.loop, batch, chosen, known, names)
    return LabelQueue(
        name=name,
        state=experiment.state,
        waits_for=awaited_labels(tx, experiment),
        classes=experiment.settings.classes,
        loops=loops,
        samples=samples,
    )


def _batches(tx: Connection, experiment: Experiment) -> list[tuple[Job, Row[Any]]]:
    mine = jobs.c.experiment_id == experiment.experiment_id
    shown = select(jobs).where(mine, jobs.c.state != "rewound").order_by(jobs.c.loop)
    chosen = {
        row.loop: row
        for row in tx.execute(
            select(selections).where(selections.c.experiment_id == experiment.experiment_id)
        )
    }
    found = [Job(**row) for row in tx.execute(shown).mappings()]
    return [(job, chosen[job.loop]) for job in found]


def _tally(
    experiment: Experiment, job: Job, batch: list[int], known: dict[int, StoredLabel]
) -> LoopLabels:
    there = [known[sample] for sample in batch if sample in known]
    return LoopLabels.model_validate(
        {
            "loop": job.loop,
            "state": job.state,
            "asked": len(batch),
            "returned": len(there),
            "needed": experiment.settings.labels.needed_of(len(batch)),
            "excluded": sum(each.value is None for each in there),
            "asked_at": job.asked_at,
        }
    )


def _samples(
    loop: int,
    batch: list[int],
    chosen: Row[Any],
    known: dict[int, StoredLabel],
    names: list[str] | None,
) -> list[AskedSample]:
    detail = json.loads(chosen.detail)
    scores, reasons = detail["scores"], detail["reasons"]
    found = []
    for at, sample in enumerate(batch):
        told = known.get(sample)
        found.append(
            AskedSample(
                index=sample,
                name=None if names is None else names[at],
                loop=loop,
                status="asked" if told is None else _status(told),
                label=None if told is None else told.value,
                annotator=None if told is None else told.annotator,
                seconds=None if told is None else told.seconds,
                score=scores[at],
                reason=reasons[at],
            )
        )
    return found


def _status(told: StoredLabel) -> Any:
    return "excluded" if told.value is None else "labelled"
