"""Cheap looks at whether anything changed, for those who wait."""

from sqlalchemy import Connection, bindparam, select

from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import experiments

_VERSION = PreparedQuery(select(experiments.c.version).where(experiments.c.name == bindparam("of")))


def version_of(tx: Connection, name: str) -> int | None:
    """The version of an experiment, without its loops.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Returns:
        A number that grows with every change; None when there is no such experiment.
    """
    return next(iter(_VERSION.values(tx, of=name)), None)


def told_versions(tx: Connection, name: str, control: str | None) -> dict[str, int]:
    """The versions that the report of an experiment is to be up to date with.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        control: Of its control, which need not exist.

    Returns:
        Name to version.
    """
    found = {each: version_of(tx, each) for each in (name, control) if each is not None}
    return {each: version for each, version in found.items() if version is not None}


def all_versions(tx: Connection) -> dict[str, int]:
    """The versions of all experiments.

    Args:
        tx: Any transaction.

    Returns:
        Name to version.
    """
    found = tx.execute(select(experiments.c.name, experiments.c.version))
    return {row.name: row.version for row in found}
