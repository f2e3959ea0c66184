"""Part files: shared by all attempts at a job, dropped when it closes and no commit names them."""

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, or_, select
from sqlalchemy.dialects.sqlite import insert

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.begun import all_begun
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.records import (
    OPEN_ATTEMPTS,
    experiment_of,
    find_attempt,
    job_of,
)
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import attempts, experiments, jobs, parts, results
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.results import MissingPart, Part

log = logging.getLogger(__name__)

_SIZES = PreparedQuery(
    select(parts.c.sha256, parts.c.bytes).where(parts.c.job_id == bindparam("of"))
)
_KNOWN = PreparedQuery(
    select(parts.c.sha256).where(
        parts.c.job_id == bindparam("of"), parts.c.sha256 == bindparam("named")
    )
)
_LISTS = PreparedQuery(select(results.c.parts).where(results.c.job_id == bindparam("of")))
_OPEN = select(attempts.c.lease).where(
    attempts.c.job_id == jobs.c.job_id, attempts.c.state.in_(OPEN_ATTEMPTS)
)
# Jobs that no attempt can send parts for.
_OVER = (
    select(jobs.c.job_id)
    .join(experiments, experiments.c.experiment_id == jobs.c.experiment_id)
    .where(
        jobs.c.job_id == bindparam("of"),
        or_(
            jobs.c.state.in_(("done", "rewound")),
            and_(experiments.c.state == "cancelled", ~_OPEN.exists()),
        ),
    )
)


def check_part(tx: Connection, job_id: str, lease: str, sha256: str) -> None:
    """Say whether a part may be sent.

    Args:
        tx: Any transaction.
        job_id: Of the job.
        lease: That the call carries.
        sha256: Of the part; one that is there already may always come again.

    Raises:
        ProblemError: `lease-lost` or `job-closed`.
    """
    attempt = find_attempt(tx, lease)
    if attempt is None or attempt.job_id != job_id:
        raise ProblemError("lease-lost", "this platform does not know the job or its lease")
    if _is_known(tx, job_id, sha256):
        return
    job = job_of(tx, job_id)
    is_cancelled = experiment_of(tx, job.experiment_id).state == "cancelled"
    if job.state == "done" or (is_cancelled and not attempt.is_open):
        raise ProblemError("job-closed", "the job is closed; no further part is needed")
    if not attempt.is_open:
        raise ProblemError("lease-lost", "another attempt counted, or this one has ended")


def is_over(tx: Connection, job_id: str) -> bool:
    """Whether no attempt can send parts for a job any more.

    Args:
        tx: Any transaction.
        job_id: Of the job.
    """
    return tx.execute(_OVER, {"of": job_id}).first() is not None


def part_arrived(
    tx: Connection, context: Context, job_id: str, sha256: str, size_bytes: int
) -> None:
    """Note a part that is durable in its file.

    Args:
        tx: A writing transaction.
        context: Knows the folder.
        job_id: Of the job.
        sha256: Of the part.
        size_bytes: Of the file.
    """
    if is_over(tx, job_id):
        # The part was on its way: only one that a commit names has a row now.
        if not _is_known(tx, job_id, sha256):
            after_commit(tx, partial(_remove, part_path(context, job_id, sha256)))
        return
    row = insert(parts).values(job_id=job_id, sha256=sha256, bytes=size_bytes)
    tx.execute(row.on_conflict_do_nothing())


def part_path(context: Context, job_id: str, sha256: str) -> Path:
    """Where a part lies.

    Args:
        context: Knows the folder.
        job_id: Of the job.
        sha256: Of the part.

    Returns:
        The file; its folder need not exist.
    """
    return context.parts / job_id / sha256


def missing_parts(
    tx: Connection, context: Context, job_id: str, named: list[Part]
) -> list[MissingPart]:
    """Parts that a commit names and that are not there whole.

    Args:
        tx: Any transaction.
        context: Knows the folder.
        job_id: Of the job.
        named: By the commit.

    Returns:
        Each with the bytes that are there.

    Raises:
        ProblemError: `invalid`: one has another size than the commit says; sending it again would
            not change that.
    """
    if not named:
        return []
    # All of the job's: a statement cannot list as many as a commit may name.
    sizes = {row["sha256"]: row["bytes"] for row in _SIZES.rows(tx, of=job_id)}
    for part in named:
        if sizes.get(part.sha256, part.bytes) != part.bytes:
            raise ProblemError(
                "invalid",
                f"part {part.sha256}: found {part.bytes} bytes in the commit; "
                f"the part has {sizes[part.sha256]}",
            )
    folder = context.parts / job_id
    # A file may be gone or cut short though its row tells of it: the folder was restored.
    missing = [
        part.sha256
        for part in named
        if part.sha256 not in sizes or not _is_whole(folder / part.sha256, part.bytes)
    ]
    begun = all_begun(folder) if missing else {}
    # Bytes that are all there but were never checked must be asked for once more.
    have = {sha256: min(file.have, file.total - 1) for sha256, file in begun.items()}
    return [MissingPart(sha256=sha256, have=have.get(sha256, 0)) for sha256 in missing]


def drop_unnamed(tx: Connection, context: Context, job_id: str) -> None:
    """Drop the parts of a closed or rewound job that no commit names, of whatever attempt.

    Args:
        tx: A writing transaction.
        context: Knows the folder.
        job_id: Of the job.
    """
    named = _named(tx, job_id)
    for sha256 in set(_SIZES.values(tx, of=job_id)) - named:
        tx.execute(delete(parts).where(parts.c.job_id == job_id, parts.c.sha256 == sha256))
    after_commit(tx, partial(_sweep, context.parts / job_id, named))


def drop_if_over(tx: Connection, context: Context, job_id: str) -> None:
    """Drop what no commit names when the last attempt at a cancelled job ends.

    Args:
        tx: A writing transaction.
        context: Knows the folder.
        job_id: Of the job.
    """
    if is_over(tx, job_id):
        drop_unnamed(tx, context, job_id)


def sweep(tx: Connection, context: Context) -> None:
    """Remove what a killed hub did not get to remove.

    Args:
        tx: A writing transaction.
        context: Knows the folder.
    """
    if not context.parts.is_dir():
        return
    for folder in context.parts.iterdir():
        drop_if_over(tx, context, folder.name)


def has_lost_parts(tx: Connection, context: Context, job_id: str, step: str) -> bool:
    """Whether files are gone of what counts for a step.

    Args:
        tx: Any transaction.
        context: Knows the folder.
        job_id: Of the job.
        step: Of the result.
    """
    counted = select(results.c.parts).where(
        results.c.job_id == job_id, results.c.step == step, results.c.is_counted
    )
    named = [part for text in tx.execute(counted).scalars() for part in json.loads(text)]
    return not all(
        _is_whole(part_path(context, job_id, part["sha256"]), part["bytes"]) for part in named
    )


def _is_whole(file: Path, size_bytes: int) -> bool:
    try:
        return file.stat().st_size == size_bytes
    except FileNotFoundError:
        return False


def _is_known(tx: Connection, job_id: str, sha256: str) -> bool:
    return _KNOWN.row(tx, of=job_id, named=sha256) is not None


def _named(tx: Connection, job_id: str) -> set[str]:
    lists = _LISTS.values(tx, of=job_id)
    return {part["sha256"] for text in lists for part in json.loads(text)}


def _sweep(folder: Path, named: set[str]) -> None:
    if folder.is_dir():
        for file in folder.iterdir():
            if file.name not in named and not file.name.startswith("."):
                _remove(file)


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s stays: %s", file, error.strerror or error)


def result_files(context: Context, job_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A result as the analysis process is told of it.

    Args:
        context: Knows where parts lie.
        job_id: Of the job.
        row: Of the table of results, with what is read below.

    Returns:
        Media type, paths of the parts, or the rows themselves.
    """
    named = [part["sha256"] for part in json.loads(row["parts"])]
    return {
        "media_type": row["media_type"],
        "parts": [str(part_path(context, job_id, sha256)) for sha256 in named],
        "inline": None if row["inline"] is None else json.loads(row["inline"]),
    }
