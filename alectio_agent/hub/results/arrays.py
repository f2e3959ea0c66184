"""Makes one `.npz` file of the parts or rows of a result; one part is in memory at a time."""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.npz import read_npz
from alectio_agent.core.errors import ScoresError

Array = NDArray[Any]

ROWS_AT_ONCE = 65_536
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass
class Column:
    """One field of a result over all its parts.

    Attributes:
        rows: How many there are.
        row_shape: Shape of one of them.
    """

    dtype: np.dtype[Any]
    row_shape: tuple[int, ...]
    rows: int = 0


def check_parts(parts: Sequence[Path]) -> dict[str, Column]:
    """See what the parts hold together, without reading their numbers.

    Args:
        parts: `.npz` files, in order; at least one.

    Returns:
        Name of a field to its extent.

    Raises:
        ScoresError: A part is missing or damaged, holds Python objects, or does not fit the others.
    """
    columns: dict[str, Column] = {}
    for part in parts:
        fields = read_npz(part)
        if "index" not in fields or (columns and fields.keys() != columns.keys()):
            expected = ", ".join(sorted(columns)) or "`index` among the fields"
            raise ScoresError(f"{part}: found {', '.join(sorted(fields))}; expected {expected}")
        for name, values in fields.items():
            _extend(columns, name, values, part, len(fields["index"]))
    return columns


def drop_odd_names(fields: dict[str, Any]) -> list[str]:
    """Take out fields that no file may hold: agents name them, and programs unpack files.

    Args:
        fields: Anything by name of a field.

    Returns:
        The names that were taken out; no identifiers, such as `../x`.
    """
    odd = sorted(name for name in fields if not _NAME.fullmatch(name))
    for name in odd:
        del fields[name]
    return odd


def write_parts(parts: Sequence[Path], columns: Mapping[str, Column], file: IO[bytes]) -> None:
    """Write the parts one below the other.

    Args:
        parts: As they were checked.
        columns: What `check_parts` found.
        file: Gets a whole `.npz` file; can seek.

    Raises:
        ScoresError: A part is gone since.
    """

    def blocks_of(name: str) -> Iterator[Array]:
        return (read_npz(part)[name] for part in parts)

    _write(columns, blocks_of, file)


def write_fields(fields: Mapping[str, Array], file: IO[bytes]) -> None:
    """Write arrays that are in memory.

    Args:
        fields: Name to array, a row for each sample.
        file: Gets a whole `.npz` file; can seek.
    """
    columns = {
        name: Column(values.dtype, values.shape[1:], len(values)) for name, values in fields.items()
    }
    _write(columns, lambda name: [fields[name]], file)


def fields_of(rows: Sequence[Sequence[Any]], bare: str) -> dict[str, Array] | None:
    """The rows of a small result as the arrays that a large one comes in.

    Args:
        rows: `[index, value]` each.
        bare: Name of the field when values are numbers or lists of numbers.

    Returns:
        Field to array; None when the values are no rows of numbers.
    """
    values = [row[1] for row in rows]
    index = np.array([row[0] for row in rows], np.int64)
    named: dict[str, Any] = {bare: values}
    if values and isinstance(values[0], dict):
        if any(not isinstance(value, dict) or value.keys() != values[0].keys() for value in values):
            return None
        named = {str(name): [value[name] for value in values] for name in values[0]}
    try:
        arrays = {name: _narrow(np.array(found)) for name, found in named.items()}
    except ValueError:
        return None  # rows of different widths
    if "index" in arrays or any(found.dtype.kind not in "fiub" for found in arrays.values()):
        return None
    return {"index": index, **arrays}


def _narrow(values: Array) -> Array:
    """Single precision, as in the parts of a large result, when nothing is lost."""
    if values.dtype.kind != "f":
        return values
    with np.errstate(over="ignore"):
        narrow = values.astype("<f4")
    return narrow if np.array_equal(narrow, values) else values


def _extend(columns: dict[str, Column], name: str, values: Array, part: Path, rows: int) -> None:
    column = columns.setdefault(name, Column(values.dtype, values.shape[1:]))
    if values.ndim == 0 or values.shape[1:] != column.row_shape or len(values) != rows:
        raise ScoresError(
            f"{part}: `{name}` has the shape {values.shape}; expected {(rows, *column.row_shape)}"
        )
    column.dtype = np.result_type(column.dtype, values.dtype)
    column.rows += rows


def _write(
    columns: Mapping[str, Column], blocks_of: Callable[[str], Iterable[Array]], file: IO[bytes]
) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, column in columns.items():
            # The date of a ZipInfo is fixed: the same numbers give the same bytes.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                _write_header(column, member)
                for block in blocks_of(name):
                    for start in range(0, len(block), ROWS_AT_ONCE):
                        some = block[start : start + ROWS_AT_ONCE]
                        member.write(np.ascontiguousarray(some, column.dtype).tobytes())


def _write_header(column: Column, member: IO[bytes]) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(column.dtype),
        "fortran_order": False,
        "shape": (column.rows, *column.row_shape),
    }
    np.lib.format.write_array_header_1_0(member, header)
