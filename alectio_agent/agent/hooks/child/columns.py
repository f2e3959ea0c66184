"""Numbers of many rows in one flat buffer, whether numpy made it or the standard library did."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from operator import attrgetter
from typing import Any, Optional, Union

from alectio_agent.agent.hooks.child.failures import ContractError
from alectio_agent.agent.hooks.child.keys import name_some
from alectio_agent.agent.hooks.child.plain import is_array, is_tensor, loaded, to_array

FLOAT = "<f4"
INTEGER = "<i8"
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Column:
    """One field of a result: a number, or a row of numbers, for each sample.

    Attributes:
        name: Of the field.
        kind: `<f4` or `<i8`, as in the header of a `.npy` file.
        buffer: All numbers, row after row.
        width: Numbers in a row; None for a plain number.
    """

    name: str
    kind: str
    buffer: memoryview
    width: Optional[int] = None

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.buffer.itemsize * (1 if self.width is None else self.width)

    def cut(self, start: int, stop: int) -> memoryview:
        """The numbers of some rows."""
        width = 1 if self.width is None else self.width
        return self.buffer[start * width : stop * width]

    def rows(self, start: int, stop: int) -> list[Any]:
        """Some rows as plain values."""
        flat = self.cut(start, stop).tolist()
        width = self.width
        if width is None:
            return flat
        return [flat[place * width : (place + 1) * width] for place in range(stop - start)]


def integer_column(name: str, values: Sequence[int], width: Optional[int] = None) -> Column:
    """A column of whole numbers.

    Args:
        name: Of the field.
        values: Flat.
        width: Numbers in a row; None for a plain number.
    """
    return Column(name, INTEGER, memoryview(array("q", values)), width)


def float_column(
    name: str, rows: Any, samples: Sequence[int], expected: Optional[int] = None
) -> Column:
    """A column of scores.

    Args:
        name: Of the field.
        rows: A list of rows, or an array or tensor of two dimensions; one row per sample. A row
            is a list, array or tensor, or a plain number.
        samples: Index of each row, for messages.
        expected: Numbers in a row; None when any one width will do.

    Returns:
        The column.

    Raises:
        ContractError: Rows of another or different widths, or a value that is no finite number.
    """
    dense = _densify(rows)
    if is_array(dense) and dense.dtype.kind in "fiub":
        return _from_array(name, dense, samples, expected)
    return _from_list(name, list(dense), samples, expected)


def sums_to_one(column: Column) -> bool:
    """Whether every row looks like probabilities: nothing below zero, a sum of one."""
    width = column.width
    if not column.buffer or width is None or width < 2:
        return False
    numpy = loaded("numpy", "frombuffer")
    if numpy is not None:
        matrix = numpy.frombuffer(column.buffer, dtype=FLOAT).reshape(-1, width)
        starts = range(0, len(matrix), ROWS_AT_ONCE)
        return all(_are_shares(matrix[start : start + ROWS_AT_ONCE]) for start in starts)
    count = len(column.buffer) // width
    rows = (column.rows(place, place + 1)[0] for place in range(count))
    return all(abs(sum(row) - 1) < 1e-3 and min(row) >= 0 for row in rows)


def _are_shares(matrix: Any) -> bool:
    """Whether some rows, of numpy, look like probabilities."""
    return bool(matrix.min() >= 0 and abs(matrix.sum(axis=1, dtype="f8") - 1).max() < 1e-3)


def _densify(rows: Any) -> Any:
    """Equal small arrays or tensors as one large array; everything else as it is."""
    if not isinstance(rows, list):
        return to_array(rows)
    if not rows or not (is_tensor(rows[0]) or is_array(rows[0])):
        return rows
    first = rows[0]
    if len(set(map(type, rows))) > 1 or not _are_alike(rows):
        return [to_array(row) for row in rows]
    library = loaded("torch" if is_tensor(first) else "numpy", "stack")
    if library is None:
        return rows
    if (
        type(first) is getattr(library, "ndarray", None) and first.ndim
    ):  # many times quicker than to stack small arrays
        return library.concatenate(rows).reshape(len(rows), *first.shape)
    return to_array(library.stack(rows))


def _are_alike(rows: list[Any]) -> bool:
    """Whether tensors or arrays of one type have one shape and lie on one device."""
    devices = set(map(attrgetter("device"), rows)) if hasattr(rows[0], "device") else {None}
    return len(devices) == len(set(map(attrgetter("shape"), rows))) == 1


def _from_array(name: str, values: Any, samples: Sequence[int], expected: Optional[int]) -> Column:
    numpy: Any = loaded("numpy", "ndarray")
    if values.ndim == 1:
        values = values.reshape(-1, 1)
    if values.ndim != 2:
        raise ContractError(
            "`{}` has {} dimensions; expected one row of numbers for each index".format(
                name, values.ndim
            )
        )
    _check_widths(name, [values.shape[1]] if len(values) else [], samples, expected)
    with numpy.errstate(all="ignore"):
        matrix = numpy.ascontiguousarray(values, dtype=FLOAT)
    if not _is_finite(matrix):
        places = numpy.flatnonzero(~numpy.isfinite(matrix).all(axis=1))
        _refuse_not_finite(name, [samples[place] for place in places], len(samples))
    return Column(name, FLOAT, memoryview(matrix.reshape(-1)), matrix.shape[1])


def _is_finite(numbers: Any) -> bool:
    """Whether an array of numpy holds neither NaN nor an infinity; needs no memory of its size."""
    return not numbers.size or bool(math.isfinite(numbers.min()) and math.isfinite(numbers.max()))


def _from_list(
    name: str, rows: list[Any], samples: Sequence[int], expected: Optional[int]
) -> Column:
    packed = _pack(rows, expected)
    if packed is not None:
        return Column(name, FLOAT, packed, len(rows[0]))
    # Row by row: for rows of other kinds, and for the words when something is wrong.
    lists = [_as_list(row) for row in rows]
    _check_widths(name, [len(row) for row in lists], samples, expected)
    flat = array("f")
    wrong, broken = [], []
    for row, sample in zip(lists, samples):
        numbers = _as_floats(row)
        if numbers is None:
            wrong.append(sample)
        else:
            # Single precision cannot overflow a sum in double precision, so this tests each one.
            if not math.isfinite(sum(numbers)):
                broken.append(sample)
            flat.extend(numbers)
    if wrong:
        raise ContractError(
            "{:,} of {:,} rows of `{}` hold something that is no number: {}".format(
                len(wrong), len(rows), name, name_some(wrong)
            )
        )
    if broken:
        _refuse_not_finite(name, broken, len(samples))
    width = len(lists[0]) if lists else expected or 1
    return Column(name, FLOAT, memoryview(flat), width)


def _pack(rows: list[Any], expected: Optional[int]) -> Optional[memoryview[Any]]:
    """Plain rows of one width in one buffer; None when they are no such thing, or not finite."""
    if not rows or not set(map(type, rows)) <= {list, tuple}:
        return None
    width = len(rows[0])
    if not width or set(map(len, rows)) != {width} or width not in _allowed(width, expected):
        return None
    pack, flat = struct.Struct("{}f".format(width)).pack, bytearray()
    try:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            flat += b"".join(starmap(pack, rows[start : start + ROWS_AT_ONCE]))
    except (struct.error, TypeError, ValueError, OverflowError, RuntimeError):
        return None
    numbers = memoryview(flat).cast("f")
    numpy = loaded("numpy", "frombuffer")
    if numpy is not None:
        is_finite = _is_finite(numpy.frombuffer(flat, FLOAT))
    else:
        # Single precision cannot overflow a sum in double precision, so this tests each one.
        is_finite = math.isfinite(sum(numbers))
    return numbers if is_finite else None


def _as_list(row: Any) -> Sequence[Any]:
    row = to_array(row)
    unpack = getattr(row, "tolist", None)
    row = unpack() if callable(unpack) else row
    return row if isinstance(row, (list, tuple)) else [row]


def _as_floats(row: Sequence[Any]) -> Union[array[float], None]:
    try:
        return array("f", row)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def _check_widths(
    name: str, widths: list[int], samples: Sequence[int], expected: Optional[int]
) -> None:
    kinds = sorted(set(widths))
    if expected is not None:
        allowed = _allowed(expected, expected)
        wrong = [sample for sample, width in zip(samples, widths) if width not in allowed]
        if wrong:
            where = "" if len(wrong) == len(widths) else " (samples {})".format(name_some(wrong))
            raise ContractError(
                "rows of `{}` have {} scores, the experiment has {} classes{}. A model that has "
                "not seen every class yet must spread its columns: one for each class of the "
                "experiment, in its order".format(name, _joined(kinds), expected, where)
            )
    if len(kinds) > 1:
        odd = [s for s, width in zip(samples, widths) if width != widths[0]]
        raise ContractError(
            "rows of `{}` have {} numbers; expected one width (samples {})".format(
                name, _joined(kinds), name_some(odd)
            )
        )


def _allowed(width: int, expected: Optional[int]) -> set[int]:
    """Widths that a row may have; any one, such as its own, when none is expected."""
    # One score for two classes is a whole answer: the other one's score is zero.
    return {width} if expected is None else {expected, 1} if expected == 2 else {expected}


def _joined(widths: list[int]) -> str:
    return " and ".join(str(width) for width in widths)


def _refuse_not_finite(name: str, samples: list[int], count: int) -> None:
    raise ContractError(
        "{:,} of {:,} rows of `{}` hold NaN or an infinity: {}".format(
            len(samples), count, name, name_some(samples)
        )
    )
