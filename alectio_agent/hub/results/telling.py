"""Reads what a report tells of: an experiment, its control, and its like with other seeds."""

import json
from typing import Any

from sqlalchemy import Connection, func, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.records import named_experiment
from alectio_agent.hub.experiments.results_document import read_document
from alectio_agent.hub.store.tables import experiments, jobs, labels, results
from alectio_agent.report.page import Told
from alectio_agent.report.siblings import Run, sibling_names

_ALL = select(
    experiments.c.name, experiments.c.settings, experiments.c.control_of, experiments.c.state
).order_by(experiments.c.position.desc())


def read_told(tx: Connection, name: str, names: NameFiles) -> Told:
    """Everything that the report of an experiment is made from.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        names: The files of record names.

    Returns:
        Its document, that of its control, and those of its siblings.

    Raises:
        ProblemError: `not-found`.
    """
    document = read_document(tx, name, names)
    siblings = [read_document(tx, sibling) for sibling in find_siblings(tx, name)]
    return Told(document, _control(tx, document), siblings)


def told_mark(tx: Connection, name: str) -> tuple[object, ...]:
    """What changes whenever the report of an experiment would say more.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Returns:
        Of itself, its control and its siblings; much less work than `read_told`.

    Raises:
        ProblemError: `not-found`.
    """
    own = named_experiment(tx, name)
    named = experiments.c.name.in_([own.name, *find_siblings(tx, name)])
    family = named | (experiments.c.control_of == own.name)
    told = (
        select(
            experiments.c.name,
            experiments.c.state,
            experiments.c.settings,
            experiments.c.pool_size,
            func.count(jobs.c.job_id),
            func.sum(jobs.c.attempt),
            func.group_concat(jobs.c.state, " "),
        )
        .join(jobs, jobs.c.experiment_id == experiments.c.experiment_id, isouter=True)
        .where(family)
        .group_by(experiments.c.experiment_id)
        .order_by(experiments.c.position)
    )
    counted = (
        select(func.count(results.c.lease), func.count(results.c.metrics))
        .join(jobs, jobs.c.job_id == results.c.job_id)
        .join(experiments, experiments.c.experiment_id == jobs.c.experiment_id)
        .where(family, results.c.is_counted)
    )
    labelled = (
        select(func.max(labels.c.position))
        .join(experiments, experiments.c.experiment_id == labels.c.experiment_id)
        .where(family)
    )
    rows = [*tx.execute(told), *tx.execute(counted), *tx.execute(labelled)]
    return tuple(value for row in rows for value in row)


def find_siblings(tx: Connection, name: str) -> list[str]:
    """Experiments of the same settings with other seeds, the newest one of each seed.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Returns:
        Their names, the newest first; controls are siblings of controls only.
    """
    rows = tx.execute(_ALL).all()
    return sibling_names(name, map(_run, rows))


def _control(tx: Connection, document: dict[str, Any]) -> dict[str, Any] | None:
    name = document["control"]
    try:
        return None if name is None else read_document(tx, name)
    except ProblemError:
        return None  # it is named, and not made yet


def _run(row: Any) -> Run:
    return Run(
        name=row.name,
        settings=json.loads(row.settings),
        is_control=row.control_of is not None,
        is_cancelled=row.state == "cancelled",
    )
