"""Reads what a report tells of: an experiment, and its control."""

from typing import Any

from sqlalchemy import Connection

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.results_document import read_document
from alectio_agent.report.page import Told


def read_told(tx: Connection, name: str) -> Told:
    """Everything that the report of an experiment is made from.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Returns:
        Its document, and that of its control.

    Raises:
        ProblemError: `not-found`.
    """
    document = read_document(tx, name)
    return Told(document, _control(tx, document))


def _control(tx: Connection, document: dict[str, Any]) -> dict[str, Any] | None:
    name = document["control"]
    try:
        return None if name is None else read_document(tx, name)
    except ProblemError:
        return None  # it is named, and not made yet
