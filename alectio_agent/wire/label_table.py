"""A CSV file as a table: whatever a spreadsheet made of it."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alectio_agent.core.log import printable
from alectio_agent.core.nearest import nearest

COLUMNS = ("index", "name", "loop", "label", "annotator", "seconds", "score", "reason")
NEEDED = ("index", "label")
DELIMITERS = [",", ";", "\t"]
MOST_SHOWN = 12
AS_UTF_8 = "save it as CSV UTF-8"


class TableError(Exception):
    """The file is no table of labels.

    Attributes:
        line: Where that shows, from 1.
    """

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class RowError(Exception):
    """Something is wrong in one row."""


class _Records(Iterator[tuple[int, list[str]]]):
    """The records of a file, each with the line in which it begins; empty ones are left out."""

    def __init__(self, text: str, delimiter: str, skipped: int) -> None:
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._skipped = skipped
        self.line = 1 + skipped

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            self.line = self._reader.line_num + 1 + self._skipped
            cells = next(self._reader)
            if any(cell.strip() for cell in cells):
                return self.line, cells


@dataclass(frozen=True)
class Row:
    """One row below the heading.

    Attributes:
        line: In which it begins.
    """

    line: int
    cells: Sequence[str]
    table: "Table"

    def cell(self, column: str) -> str:
        """What stands in a column, without spaces around it; empty when there is none.

        Args:
            column: Of the heading.
        """
        at = self.table.heading.get(column)
        return "" if at is None or at >= len(self.cells) else self.cells[at].strip()

    def check_width(self) -> None:
        """See that the cells stand below their heading.

        Raises:
            RowError: They do not.
        """
        width = self.table.width
        has_more = any(cell.strip() for cell in self.cells[width:])
        if has_more or max(self.table.heading[column] for column in NEEDED) >= len(self.cells):
            raise RowError(
                f"found {len(self.cells)} cells, expected {width} as in the heading; put text that "
                "holds the separator in quotes"
            )


@dataclass(frozen=True)
class Table:
    """A file whose heading was read.

    Attributes:
        delimiter: Between cells.
        heading: Name of a column to its place.
        width: Number of columns.
    """

    delimiter: str
    heading: dict[str, int]
    width: int
    records: _Records

    def rows(self) -> Iterator[Row]:
        """The rows below the heading.

        Raises:
            TableError: From here on it is no CSV.
        """
        try:
            for line, cells in self.records:
                yield Row(line, cells, self)
        except csv.Error as error:
            raise TableError(f"no CSV: {error}", self.records.line) from error


def open_table(content: bytes) -> Table:
    """Read the heading of a file.

    Args:
        content: UTF-8, perhaps with a BOM; commas, semicolons or tabs between cells.

    Returns:
        The table; its rows are not read yet.

    Raises:
        TableError: It is no text, or has no heading with the columns that are needed.
    """
    text, skipped, delimiters = _decoded(content), 0, DELIMITERS
    # Names of records may be whole texts; the size of the file is what is limited.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    if text[:4].lower() == "sep=" and text[4:5]:  # a hint of spreadsheets
        delimiters, text, skipped = [text[4]], text.partition("\n")[2], 1
    tried = []
    for delimiter in delimiters:
        records = _Records(text, delimiter, skipped)
        try:
            line, cells = next(records)
        except (StopIteration, csv.Error):
            continue
        names = [cell.strip().lower() for cell in cells]
        heading = {name: at for at, name in enumerate(names)}
        known = sum(name in COLUMNS for name in names)
        tried.append((known, line, names, Table(delimiter, heading, len(names), records)))
    if not tried:
        raise TableError("found no heading, expected one with `index` and `label`")
    _, line, names, table = max(tried, key=lambda each: each[0])
    _check_heading(names, line)
    return table


def _decoded(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise TableError(f"found a spreadsheet's own format, expected text; {AS_UTF_8}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableError(f"found UTF-16, expected UTF-8; {AS_UTF_8}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = f"found the byte 0x{content[error.start]:02x}, which is no UTF-8; {AS_UTF_8}"
        raise TableError(found, line) from error


def _check_heading(names: list[str], line: int) -> None:
    for column in NEEDED:
        if column not in names:
            meant = nearest(column, names)
            mend = f". Is it `{printable(meant, 40)}`?" if meant else ""
            shown = ", ".join(printable(name, 40) for name in names[:MOST_SHOWN])
            raise TableError(f"heading: found no column `{column}` in {shown}{mend}", line)
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        raise TableError(f"heading: found the column `{twice[0]}` twice", line)
