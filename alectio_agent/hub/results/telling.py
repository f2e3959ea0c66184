"""Reads what a report tells of: an experiment, its control, and its like with other seeds."""

import json
from typing import Any

from sqlalchemy import Connection, select

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.results_document import read_document
from alectio_agent.hub.store.tables import experiments
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
