"""Rows of the record of what left, as `audit` prints them."""

from datetime import datetime

from pydantic import BaseModel

from alectio_agent.agent.journal.egress_reading import Entry, Verdict
from alectio_agent.core.csv_cells import defused, quoted
from alectio_agent.core.log import printable
from alectio_agent.core.sqlite import Row
from alectio_agent.core.units import count, format_size


class AuditRow(BaseModel):
    """A row of the record.

    Attributes:
        id: Its number, from 1; None: still counted, and no row yet.
        at: RFC 3339 in UTC; of a `count`, the hour.
        kind: `call`, `count` (polls or beats of an hour), `start` or `stop` of the agent, `pruned`.
        target: `scheme://host:port` that the call went to.
        via: The proxy on the way, in the same form.
        call: `register`, `leave`, `poll`, `refuse`, `beat`, `ask`, `part`, `commit`, `fail`, `log`
            or `names`.
        job: `experiment/loop`.
        step: `train`, `test` or `infer`.
        calls: How many; more than 1 only in a `count`.
        bytes: Of the body, or of all bodies.
        sha256: Of the body; of a `pruned`, the hash of the last row that went.
        fields: Names of the fields in the body, never values.
        rows: Of the result that a commit tells of; rows that were `pruned`.
        outcome: Status of the answer, or why there was none; None: nobody wrote it down.
        note: What else the row says.
        hash: Binds this row to the one before.
    """

    id: int | None
    at: str
    kind: str
    target: str | None = None
    via: str | None = None
    call: str | None = None
    job: str | None = None
    step: str | None = None
    calls: int = 0
    bytes: int | None = None
    sha256: str | None = None
    fields: list[str] = []
    rows: int | None = None
    outcome: str | None = None
    note: str | None = None
    hash: str | None = None


class AuditVerdict(BaseModel):
    """What a look at the whole record found.

    Attributes:
        rows: How many are as they were written.
        is_whole: Whether all are.
        first_broken: Number of the first that is not.
        why: What is wrong with it.
        newest: Number of the last row.
        hash: Its hash.
    """

    rows: int
    is_whole: bool
    first_broken: int | None = None
    why: str | None = None
    newest: int | None = None
    hash: str | None = None


def of_verdict(found: Verdict) -> AuditVerdict:
    """A verdict as it is printed.

    Args:
        found: By the reader of the record.
    """
    return AuditVerdict(
        rows=found.rows,
        is_whole=found.broken is None,
        first_broken=found.broken,
        why=found.why or None,
        newest=found.newest or None,
        hash=found.digest or None,
    )


def of_entry(entry: Entry) -> AuditRow:
    """A row as it is printed.

    Args:
        entry: From the record.
    """
    row, is_count = entry.row, entry.row.kind == "count"
    return AuditRow(
        id=row.id,
        at=row.text if is_count and row.text else row.at,
        kind=row.kind,
        target=row.target,
        via=row.via,
        call=row.call,
        job=row.job,
        step=row.step,
        calls=(row.samples or 0) if is_count else int(row.kind == "call"),
        bytes=row.size_bytes,
        sha256=row.sha256,
        fields=(row.fields or "").split(),
        rows=None if is_count else row.samples,
        outcome=entry.outcome,
        note=None if is_count else row.text,
        hash=entry.digest.hex(),
    )


def of_counting(sums: Row) -> AuditRow:
    """Calls of an hour that is not over.

    Args:
        sums: From the record.
    """
    return AuditRow(
        id=None,
        at=sums["hour"],
        kind="count",
        target=sums["target"],
        via=sums["via"] or None,
        call=sums["call"],
        calls=sums["calls"],
        bytes=sums["size_bytes"],
        fields=sums["fields"].split(),
    )


def csv_line(row: AuditRow) -> str:
    """A line of CSV, without its end.

    Args:
        row: To be printed.
    """
    told = row.model_dump() | {"fields": " ".join(row.fields)}
    return ",".join("" if value is None else quoted(defused(str(value))) for value in told.values())


CSV_HEAD = ",".join(AuditRow.model_fields)


def text_line(row: AuditRow) -> str:
    """A line for people, of 80 columns as a rule.

    Args:
        row: To be printed.
    """
    moment = datetime.fromisoformat(row.at).astimezone()
    if row.kind == "count":
        return f"{moment:%Y-%m-%d %H:%M}     {row.call}s: {row.calls}, {_size(row)} in this hour"
    start = f"{moment:%Y-%m-%d %H:%M:%S}  "
    if row.kind == "call":
        of = printable(" ".join(filter(None, (row.job, row.step))))
        outcome = printable(row.outcome or "no outcome: the agent ended")
        return f"{start}{row.call:<8}  {of:<24}  {_size(row):>9}  {outcome}"
    if row.kind == "pruned":
        return f"{start}-- {count(row.rows or 0, 'old row')} went (audit.keep)"
    word = {"start": "the agent started", "stop": "the agent ended"}.get(row.kind, row.kind)
    return f"{start}-- {word}{f': {printable(row.note)}' if row.note else ''}"


def _size(row: AuditRow) -> str:
    return format_size(row.bytes or 0)
