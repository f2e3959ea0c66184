"""What the model said about the pool after each loop: `outputs/loop_N.npz`, kept up to date."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, select

from alectio_agent.core.durable import sync_folder
from alectio_agent.core.errors import ScoresError
from alectio_agent.core.log import printable
from alectio_agent.hub.experiments.records import named_experiment
from alectio_agent.hub.results.files import put_same, replacing
from alectio_agent.hub.results.marks import Kept
from alectio_agent.hub.store.tables import jobs, results

NPZ_MEDIA_TYPE = "application/x-npz"
RECTANGULAR = frozenset({"classification", "multi_label", "regression"})
"""Tasks whose rows are rows of numbers."""

ROWS_PER_WRITE = 1000
MOST_NAMED = 5


@dataclass(frozen=True)
class Inferred:
    """The counted result of `infer` of one loop.

    Attributes:
        source: Digest of what it is made from.
        parts: Files, in order.
        rows: Inline rows; None when there are parts.
        bare: Name of the field of rows that are plain lists; None when rows are no numbers.
    """

    loop: int
    source: str
    media_type: str
    parts: tuple[Path, ...]
    rows: list[list[Any]] | None
    bare: str | None


def read_inferred(
    tx: Connection, name: str, parts: Path, kept: dict[str, Kept]
) -> tuple[list[Inferred], set[str]]:
    """Find the results that have no file yet.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        parts: Folder of part files.
        kept: Loop to what its file was made from.

    Returns:
        Those results in the order of loops, and all loops that have a counted one.
    """
    experiment = named_experiment(tx, name)
    counted = (
        select(jobs.c.loop, jobs.c.job_id, results.c.lease, results.c.media_type, results.c.parts)
        .join(jobs, jobs.c.job_id == results.c.job_id)
        .where(
            jobs.c.experiment_id == experiment.experiment_id,
            jobs.c.state != "rewound",
            results.c.step == "infer",
            results.c.is_counted,
        )
        .order_by(jobs.c.loop)
    )
    wanted, loops = list[Inferred](), set[str]()
    task = experiment.settings.task
    bare = ("value" if task == "regression" else "logits") if task in RECTANGULAR else None
    for row in tx.execute(counted):
        loops.add(str(row.loop))
        digests = [part["sha256"] for part in json.loads(row.parts)]
        source = _digest([row.media_type, *(digests or [row.lease])])
        if source == (found := kept.get(str(row.loop), Kept())).source and found.is_there:
            continue
        files = tuple(parts / row.job_id / digest for digest in digests)
        rows = None if files else _inline_rows(tx, row.lease)
        wanted.append(Inferred(row.loop, source, row.media_type, files, rows, bare))
    return wanted, loops


def write_output(folder: Path, inferred: Inferred) -> Kept:
    """Make the file of a loop.

    Args:
        folder: Of the outputs; made when it is missing.
        inferred: What it is made from.

    Returns:
        What was made; no file when the result cannot be read, with the reason, which also tells
        of fields that the file goes without.

    Raises:
        OSError: The disk refuses.
    """
    folder.mkdir(exist_ok=True)
    try:
        file, odd = _write(folder, inferred)
    except ScoresError as error:
        return Kept(inferred.source, "", f"no file: {error.message}")
    sync_folder(folder)
    return Kept(inferred.source, file.name, _told(odd))


def remove_others(folder: Path, wanted: Iterable[str]) -> None:
    """Remove the files of loops that were rewound, or whose result is void.

    Args:
        folder: Of the outputs; need not exist.
        wanted: Names of those that stay.
    """
    if folder.is_dir():
        for file in folder.glob("loop_*"):
            if file.name not in wanted:
                file.unlink(missing_ok=True)


def _write(folder: Path, inferred: Inferred) -> tuple[Path, list[str]]:
    """The file, and the names of fields that are not in it."""
    npz = folder / f"loop_{inferred.loop}.npz"
    lines = folder / f"loop_{inferred.loop}.ndjson.gz"
    if inferred.rows is not None:
        return _write_rows(inferred.rows, inferred.bare, npz, lines)
    if inferred.media_type != NPZ_MEDIA_TYPE:
        _join(inferred.parts, lines)
        return lines, []
    return npz, _write_parts(inferred.parts, npz)


def _write_parts(parts: tuple[Path, ...], npz: Path) -> list[str]:
    # numpy takes memory, and a third of a second: only when there is an array.
    from alectio_agent.hub.results.arrays import check_parts, drop_odd_names, write_parts

    columns = check_parts(parts)
    odd = drop_odd_names(columns)
    if len(parts) == 1 and not odd:
        put_same(parts[0], npz)
    else:
        with replacing(npz) as file:
            write_parts(parts, columns, file)
    return odd


def _write_rows(
    rows: list[list[Any]], bare: str | None, npz: Path, lines: Path
) -> tuple[Path, list[str]]:
    from alectio_agent.hub.results.arrays import drop_odd_names, fields_of, write_fields

    fields = None if bare is None else fields_of(rows, bare)
    if fields is None:
        with replacing(lines) as file:
            _write_lines(rows, file)
        return lines, []
    odd = drop_odd_names(fields)
    with replacing(npz) as file:
        write_fields(fields, file)
    return npz, odd


def _told(odd: list[str]) -> str:
    if not odd:
        return ""
    names = ", ".join(f"`{printable(name, 60)}`" for name in odd[:MOST_NAMED])
    more = f" and {len(odd) - MOST_NAMED} more" if len(odd) > MOST_NAMED else ""
    return f"without the fields {names}{more}: expected names of letters, digits and `_`"


def _write_lines(rows: list[list[Any]], file: IO[bytes]) -> None:
    # Without name and time the same rows give the same bytes.
    with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        for start in range(0, len(rows), ROWS_PER_WRITE):
            some = rows[start : start + ROWS_PER_WRITE]
            packed.write("".join(f"{json.dumps(row)}\n" for row in some).encode())


def _join(parts: tuple[Path, ...], lines: Path) -> None:
    """Gzipped files one behind the other are one gzipped file."""
    gone = [part for part in parts if not part.is_file()]
    if gone:
        raise ScoresError(f"{gone[0]}: there is no such file")
    if len(parts) == 1:
        put_same(parts[0], lines)
        return
    with replacing(lines) as file:
        for part in parts:
            with part.open("rb") as content:
                shutil.copyfileobj(content, file, 1 << 20)


def _inline_rows(tx: Connection, lease: str) -> list[list[Any]]:
    found = select(results.c.inline).where(results.c.lease == lease, results.c.step == "infer")
    inline = tx.execute(found).scalar_one()
    rows: list[list[Any]] = json.loads(inline or "{}").get("rows", [])
    return rows


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
