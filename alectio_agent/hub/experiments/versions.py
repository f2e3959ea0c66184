"""Cheap looks at whether anything changed, for those who wait."""

from sqlalchemy import Connection, bindparam, func, select

from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import experiments, jobs

_VERSION = PreparedQuery(select(experiments.c.version).where(experiments.c.name == bindparam("of")))
_AVAILABLE = PreparedQuery(select(jobs.c.job_id).where(jobs.c.state == "available").limit(1))
_SUM = PreparedQuery(select(func.sum(experiments.c.version).label("sum")))


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


def job_mark(tx: Connection) -> int | None:
    """Whether agents that wait for a job should look again.

    Args:
        tx: Any transaction.

    Returns:
        None while no job is available; else a number that grows with every change of any
        experiment, since who may have a job depends on more than the job.
    """
    if not _AVAILABLE.rows(tx):
        return None
    return int(_SUM.values(tx)[0])


def all_versions(tx: Connection) -> dict[str, int]:
    """The versions of all experiments.

    Args:
        tx: Any transaction.

    Returns:
        Name to version.
    """
    found = tx.execute(select(experiments.c.name, experiments.c.version))
    return {row.name: row.version for row in found}
