"""Labels by people, between those who fetch and bring them and the hub."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from alectio_agent.wire.claims import Index
from alectio_agent.wire.names import ExperimentName
from alectio_agent.wire.operation import ExperimentState, LoopState
from alectio_agent.wire.protocol import MAX_COUNT
from alectio_agent.wire.records import Order, Record

LabelStatus = Literal["asked", "labelled", "excluded"]


class LabelRow(Order):
    """What somebody says of one sample.

    Attributes:
        index: Of a sample that was asked for.
        label: Name of a class, or its column; text is read as in a CSV file. None: it cannot be
            labelled, and is excluded.
        annotator: Who says it.
        seconds: How long it took.
    """

    index: Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT)]
    label: JsonValue
    annotator: str | None = Field(default=None, max_length=200)
    seconds: float | None = Field(default=None, ge=0)


class LabelImport(Order):
    """`POST /v1/experiments/{name}/labels`: all rows are taken, or none.

    422 `invalid` has `rows`, what is wrong with each: `{"row": 3, "index": 99, "problem": "..."}`.

    Attributes:
        rows: Each about another sample.
        only_check: Say what is wrong, or what would be done, and do nothing.
    """

    rows: list[LabelRow]
    only_check: bool = False


class LabelsImported(Record):
    """What an import did.

    Attributes:
        new: Samples that had no label before and have one now.
        corrected: Samples with another label now; one that was excluded had none.
        unchanged: Rows that say what was known.
        excluded: Samples that were excluded, whatever they were before.
        unasked: Rows of samples whose loop was rewound; they count when these are chosen again.
        missing: Samples of the newest loop that did not come back yet.
        asked: Samples of the newest loop.
        loop: The newest loop; None before the first selection.
        started: Whether that loop goes on with this import.
        effective_loop: The first loop that trains with these labels; None when none comes, as far
            as is known.
        waits_for: As of the experiment.
    """

    state: ExperimentState
    new: int
    corrected: int
    unchanged: int
    excluded: int
    unasked: int = 0
    missing: int
    asked: int
    loop: int | None
    started: bool
    effective_loop: int | None
    waits_for: str = ""


class AskedSample(Record):
    """A sample that people were asked for.

    Attributes:
        name: Of the record; None when the hub does not know it.
        label: The newest one; None without.
        score: Larger is more worth a label; None for a random choice.
        reason: Which strategy chose it.
    """

    index: Index
    name: str | None = None
    loop: int
    status: LabelStatus
    label: JsonValue = None
    annotator: str | None = None
    seconds: float | None = None
    score: float | None = None
    reason: str = ""


class LoopLabels(Record):
    """How far people are with the batch of one loop.

    Attributes:
        needed: So many let the loop go on.
        excluded: Of those that came back.
        asked_at: RFC 3339.
    """

    loop: int
    state: LoopState
    asked: int
    returned: int
    needed: int
    excluded: int
    asked_at: str | None


class LabelQueue(Record):
    """`GET /v1/experiments/{name}/labels`.

    Attributes:
        classes: Names in column order, or their count; None for tasks without.
        loops: All of them, with or without samples that are asked for.
        samples: Of the loops that lack labels; with `?all=true` of all. By loop, then by index.
    """

    name: ExperimentName
    state: ExperimentState
    waits_for: str = ""
    classes: list[str] | int | None = None
    loops: list[LoopLabels]
    samples: list[AskedSample]
