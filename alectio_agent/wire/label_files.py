"""Files of labels: what people fill in, and what they bring back."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from alectio_agent.core.csv_cells import defused, quoted
from alectio_agent.core.log import printable
from alectio_agent.wire.label_table import COLUMNS, Row, RowError, TableError, open_table
from alectio_agent.wire.labelling import EXCLUDED
from alectio_agent.wire.labels import AskedSample, LabelQueue, LabelRow
from alectio_agent.wire.strict_json import JsonRuleError, dumps, loads

MOST_DIGITS = 15
MOST_TOLD = 20
LONGEST_ANNOTATOR = 200


@dataclass(frozen=True)
class Problem:
    """What is wrong in a line.

    Attributes:
        line: From 1.
        text: What was found and what was expected.
    """

    line: int
    text: str


@dataclass
class LabelFile:
    """A file of labels that was read.

    Attributes:
        rows: With a label, or excluded; each is good for itself, whatever is wrong with others.
        lines: Where each of them begins.
        blank: Rows that are not done yet.
        problems: In the order of their lines.
    """

    rows: list[LabelRow] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    blank: int = 0
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, rows: list[dict[str, Any]], count: object) -> "Wrong":
        """Everything that is wrong, as far as it is told, by the hub and without it.

        Args:
            rows: What the hub found: the place in `rows`, and the problem.
            count: How many it found; it does not tell all of a wrong file.
        """
        told = [Problem(self.lines[row["row"]], row["problem"]) for row in rows]
        problems = sorted([*self.problems, *told], key=lambda each: each.line)
        untold = max(count - len(rows), 0) if isinstance(count, int) else 0
        return Wrong(problems[:MOST_TOLD], len(problems) + untold)


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a file.

    Attributes:
        problems: The first ones, in the order of their lines.
        count: How many there are.
    """

    problems: list[Problem]
    count: int

    @property
    def title(self) -> str:
        """How many places are wrong, and that nothing came of it."""
        places = "1 place is" if self.count == 1 else f"{self.count:,} places are"
        return f"{places} wrong. Nothing was imported"

    @property
    def untold(self) -> int:
        """Problems beside those that are told."""
        return self.count - len(self.problems)


def write_labels(samples: Iterable[AskedSample], *, has_classes: bool) -> str:
    """Write a file for people to fill in.

    Args:
        samples: With what is known of them.
        has_classes: Labels are names of classes or their columns.

    Returns:
        CSV with a heading.
    """
    lines = [",".join(COLUMNS)]
    for each in samples:
        label = "" if each.status == "asked" else _label_text(each.label, has_classes=has_classes)
        score = "" if each.score is None else f"{each.score:.6g}"
        seconds = "" if each.seconds is None else f"{each.seconds:g}"
        # The name is only for people, and not read back. What is read back stays as it is.
        name = defused(each.name or "")
        cells = [str(each.index), name, str(each.loop), label, each.annotator or "", seconds, score,
                 each.reason]  # fmt: skip
        lines.append(",".join(map(quoted, cells)))
    return "\n".join(lines) + "\n"


def without_labels(queue: LabelQueue) -> LabelQueue:
    """What is still to be labelled.

    Args:
        queue: With what came back of these loops already.
    """
    asked = [sample for sample in queue.samples if sample.status == "asked"]
    return queue.model_copy(update={"samples": asked})


def read_labels(content: bytes) -> LabelFile:
    """Read a file that people filled in.

    Args:
        content: Of the file.

    Returns:
        Its rows, and everything that is wrong with it.
    """
    found = LabelFile()
    first_lines: dict[int, int] = {}
    try:
        for row in open_table(content).rows():
            _add_row(found, row, first_lines)
    except TableError as error:
        found.problems.append(Problem(error.line, str(error)))
    return found


def _add_row(found: LabelFile, row: Row, first_lines: dict[int, int]) -> None:
    try:
        said = _read_row(row, first_lines)
    except RowError as error:
        found.problems.append(Problem(row.line, str(error)))
        return
    if said is None:
        found.blank += 1
    else:
        found.rows.append(said)
        found.lines.append(row.line)


def _read_row(row: Row, first_lines: dict[int, int]) -> LabelRow | None:
    """What a row says; None when it is not done yet."""
    row.check_width()
    index, text = _index(row), row.cell("label")
    earlier = first_lines.setdefault(index, row.line)
    if earlier != row.line:
        raise RowError(f"index: found {index} a second time, first in line {earlier}")
    if not text:
        return None
    label = None if text == EXCLUDED else text
    return LabelRow(index=index, label=label, annotator=_annotator(row), seconds=_seconds(row))


def _index(row: Row) -> int:
    text = row.cell("index")
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise RowError(f"index: found '{printable(text, 40)}', expected a whole number")
    return int(text)


def _annotator(row: Row) -> str | None:
    text = row.cell("annotator")
    if len(text) > LONGEST_ANNOTATOR:
        raise RowError(f"annotator: found {len(text)} letters, expected at most 200")
    return text or None


def _seconds(row: Row) -> float | None:
    text = row.cell("seconds")
    if not text:
        return None
    try:
        # Where commas are decimal points, spreadsheets write semicolons between cells.
        value = float(text.replace(",", ".") if row.table.delimiter == ";" else text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise RowError(f"seconds: found '{printable(text, 40)}', expected a number from 0 on")
    return value


def _label_text(label: JsonValue, *, has_classes: bool) -> str:
    """A label so that reading it gives the same label."""
    if label is None:
        return EXCLUDED
    if not isinstance(label, str):
        return dumps(label)
    return label if has_classes or not _reads_otherwise(label) else dumps(label)


def _reads_otherwise(text: str) -> bool:
    if text != text.strip() or text in ("", EXCLUDED):
        return True
    try:
        loads(text)
    except JsonRuleError:
        return False
    return True
