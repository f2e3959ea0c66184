"""Statements of the calls that come all the time: compiled once, run by the driver itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.dml import UpdateBase

Reader = Callable[[Any], Any]

_DIALECT = SQLiteDialect_pysqlite(paramstyle="named")


@dataclass(frozen=True)
class _Form:
    """What is run.

    Attributes:
        fixed: Parameters that the statement itself has.
        names: Of the columns.
        readers: Of the columns whose values the driver gives in another type.
    """

    sql: str
    fixed: dict[str, Any]
    names: tuple[str, ...]
    readers: list[tuple[str, Reader]]


class PreparedQuery:
    """A SELECT.

    To look up its compiled form and to wrap its rows takes SQLAlchemy ten times as long as the
    database takes to find a row by its key.
    """

    def __init__(self, statement: Select[Any]) -> None:
        """Prepare.

        Args:
            statement: Its parameters are named; no lists among them.
        """
        self._statement = statement

    # When it is first run: a process that imports forty statements runs a few of them.
    @cached_property
    def _form(self) -> "_Form":
        return _form_of(self._statement)

    def rows(self, tx: Connection, **parameters: object) -> list[dict[str, Any]]:
        """All rows, each by the names of its columns.

        Args:
            tx: Any transaction.
            parameters: By their names.
        """
        form = self._form
        found = _run(tx, form.sql, {**form.fixed, **parameters}).fetchall()
        rows = [dict(zip(form.names, row, strict=True)) for row in found]
        for name, read in form.readers:
            for row in rows:
                row[name] = read(row[name])
        return rows

    def row(self, tx: Connection, **parameters: object) -> dict[str, Any] | None:
        """The only row; None when there is none.

        Args:
            tx: Any transaction.
            parameters: By their names.
        """
        rows = self.rows(tx, **parameters)
        assert len(rows) < 2, self._form.sql  # noqa: S101 - asked by a key
        return rows[0] if rows else None

    def values(self, tx: Connection, **parameters: object) -> list[Any]:
        """The first column of all rows.

        Args:
            tx: Any transaction.
            parameters: By their names.
        """
        form = self._form
        found = _run(tx, form.sql, {**form.fixed, **parameters}).fetchall()
        read = next((read for name, read in form.readers if name == form.names[0]), None)
        return [row[0] if read is None else read(row[0]) for row in found]


class PreparedChange:
    """An INSERT or UPDATE; which columns it writes may differ from call to call."""

    def __init__(self, statement: UpdateBase) -> None:
        """Prepare.

        Args:
            statement: Its parameters are named; no lists among them.
        """
        self._statement = statement
        self._compiled: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}

    def run(self, tx: Connection, **values: object) -> int:
        """Run it.

        Args:
            tx: A writing transaction.
            values: Parameters by their names, and columns with their new values.

        Returns:
            Rows that were written.
        """
        columns = tuple(values)
        known = self._compiled.get(columns)
        if known is None:
            compiled = self._statement.compile(dialect=_DIALECT, column_keys=list(columns))
            known = self._compiled[columns] = (str(compiled), dict(compiled.params))
        sql, fixed = known
        return int(_run(tx, sql, {**fixed, **values}).rowcount)


def _form_of(statement: Select[Any]) -> _Form:
    compiled, columns = statement.compile(dialect=_DIALECT), statement.selected_columns
    readers = [(column.key or "", _reader(column.type)) for column in columns]
    return _Form(
        sql=str(compiled),
        fixed=dict(compiled.params),
        names=tuple(column.key or "" for column in columns),
        readers=[(name, read) for name, read in readers if read is not None],
    )


def _run(tx: Connection, sql: str, parameters: dict[str, Any]) -> Any:
    driver: Any = tx.connection.driver_connection
    return driver.execute(sql, parameters)


def _reader(kind: Any) -> Reader | None:
    """What turns the driver's value into one of the column's type; None when it is one already."""
    found: Reader | None = kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return found
