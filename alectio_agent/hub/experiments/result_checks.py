"""Whether what a commit says fits what its parts hold, and what the step was asked for."""

import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress, islice
from pathlib import Path
from typing import Any

from alectio_agent.core.errors import ProblemError
from alectio_agent.core.log import printable
from alectio_agent.hub.experiments.field_checks import check_fields, told
from alectio_agent.hub.experiments.part_form import PartForm, read_indices
from alectio_agent.hub.experiments.part_reading import Field
from alectio_agent.wire.protocol import (
    INLINE_BYTES,
    JSON_MEDIA_TYPE,
    NDJSON_MEDIA_TYPE,
    NPZ_MEDIA_TYPE,
)
from alectio_agent.wire.results import StepCommit
from alectio_agent.wire.strict_json import dumps

BULK_MEDIA_TYPES = (NPZ_MEDIA_TYPE, NDJSON_MEDIA_TYPE)
MOST_INLINE_BYTES = 2 * INLINE_BYTES
"""Numbers may be written longer here than by whoever counted their digits."""
SHORTEST_ROW_BYTES = len("[0,0],")
AT_ONCE = 8192
"""Indices that are compared without letting other threads go on."""


@dataclass(frozen=True)
class Asked:
    """The samples that `infer` is to speak of: all of the pool but those that were chosen.

    Attributes:
        pool_size: Indices are below it.
        chosen: Distinct indices below it.
    """

    pool_size: int
    chosen: Sequence[int]

    @property
    def count(self) -> int:
        """How many samples."""
        return self.pool_size - len(self.chosen)

    def mask(self) -> bytearray:
        """One byte for each sample of the pool: 1 for those that are asked for."""
        mask = bytearray(b"\x01") * self.pool_size
        for index in self.chosen:
            mask[index] = 0
        return mask


@dataclass(frozen=True)
class Expected:
    """What a result with parts must fit.

    Attributes:
        step: That it is of.
        paths: Of the parts, in the order of the commit.
        classes: Columns of a row of scores; None for tasks without.
        asked: None for steps that are asked for nothing in particular.
    """

    step: str
    paths: tuple[Path, ...]
    classes: int | None
    asked: Asked | None


def check_said(said: StepCommit, step: str) -> None:
    """See whether a commit agrees with itself.

    Args:
        said: The commit.
        step: That it is of.

    Raises:
        ProblemError: `invalid`: an unknown media type, parts where none belong or twice, rows that
            do not add up.
    """
    if said.media_type not in (JSON_MEDIA_TYPE, *BULK_MEDIA_TYPES):
        raise ProblemError(
            "invalid",
            f"media_type: found {printable(said.media_type, 60)}; "
            f"expected {JSON_MEDIA_TYPE} for an inline result, or one of "
            f"{', '.join(BULK_MEDIA_TYPES)} for parts",
        )
    if step == "train" and said.parts:
        raise ProblemError("invalid", "parts: the result of train is inline")
    if len({part.sha256 for part in said.parts}) < len(said.parts):
        raise ProblemError("invalid", "parts: one of them stands twice")
    is_inline = said.media_type == JSON_MEDIA_TYPE
    if is_inline == bool(said.parts) or (said.parts and said.inline is not None):
        raise ProblemError(
            "invalid",
            f"media_type: found {said.media_type} with {len(said.parts)} parts"
            f"{' and an inline result' if said.inline is not None else ''}; "
            f"expected parts for {' or '.join(BULK_MEDIA_TYPES)} only",
        )
    rows = sum(part.rows for part in said.parts) if said.parts else _inline_count(said, step)
    if rows != said.rows:
        held = "parts" if said.parts else "inline result"
        raise ProblemError("invalid", f"rows: found {said.rows}; the {held} hold {rows}")


def check_small(said: StepCommit) -> None:
    """See whether an inline result is small: the rest of the hub waits while it is looked at.

    Args:
        said: A commit.

    Raises:
        ProblemError: `invalid`: it belongs into parts.
    """
    if said.inline is None:
        return
    rows = said.inline.get("rows")
    is_long = isinstance(rows, list) and len(rows) > MOST_INLINE_BYTES // SHORTEST_ROW_BYTES
    if is_long or len(dumps(said.inline)) > MOST_INLINE_BYTES:
        raise ProblemError(
            "invalid",
            f"inline: a result of more than {INLINE_BYTES} bytes; expected it in parts",
        )


def check_inline(said: StepCommit, asked: Asked | None) -> None:
    """See whether inline rows are of the samples that were asked for.

    Args:
        said: A commit of a step other than `train`, without parts.
        asked: None for any samples.

    Raises:
        ProblemError: `invalid`, with the row.
    """
    indices = [_inline_index(row, number) for number, row in enumerate(_inline_rows(said))]
    if asked is not None:
        _check_count(said, asked)
        _check_each([("the inline result", indices)], asked)


def check_parts(said: StepCommit, forms: Sequence[PartForm], expected: Expected) -> None:
    """See whether parts hold what the commit says, for the samples that were asked for.

    Takes 30 ms for a million rows; to be called in a thread.

    Args:
        said: The commit.
        forms: Of its parts, in order.
        expected: What the result must fit.

    Raises:
        ProblemError: `invalid`, with the part.
        StoreError: The disk refuses.
    """
    first: tuple[Field, ...] | None = None
    for number, form in enumerate(forms):
        where, fields = _place(said, number), _fields_of(said, number, form)
        if form.media_type == NPZ_MEDIA_TYPE:
            check_fields(where, fields, expected.step, expected.classes)
        if first is not None and fields != first:
            raise ProblemError(
                "invalid", f"{where}: found {told(fields)}; the first part has {told(first)}"
            )
        first = fields
    if expected.asked is not None:
        _check_count(said, expected.asked)
        if not _are_in_order(said, forms, expected.asked):
            blocks = ((_place(said, at), piece) for at, piece in _pieces(expected.paths))
            _check_each(blocks, expected.asked)


def _inline_rows(said: StepCommit) -> Sequence[Any]:
    rows = (said.inline or {}).get("rows", [])
    if not isinstance(rows, list):
        raise ProblemError("invalid", "inline.rows: expected a list of `[index, value]`")
    return rows


def _inline_count(said: StepCommit, step: str) -> int:
    return 0 if step == "train" else len(_inline_rows(said))


def _inline_index(row: Any, number: int) -> int:
    is_row = isinstance(row, list) and len(row) == 2 and type(row[0]) is int and row[0] >= 0
    if not is_row:
        raise ProblemError("invalid", f"inline.rows.{number}: expected `[index, value]`")
    return int(row[0])


def _place(said: StepCommit, number: int) -> str:
    return f"part {number + 1} of {len(said.parts)}, {said.parts[number].sha256[:12]}"


def _fields_of(said: StepCommit, number: int, form: PartForm) -> tuple[Field, ...]:
    where, part = _place(said, number), said.parts[number]
    if form.media_type and form.media_type != said.media_type:
        raise ProblemError(
            "invalid", f"{where}: it is {form.media_type}; the commit says {said.media_type}"
        )
    if form.contents is None:
        raise ProblemError("invalid", f"{where}: {form.problem}")
    if form.contents.rows != part.rows:
        raise ProblemError(
            "invalid", f"{where}: it has {form.contents.rows} rows; the commit says {part.rows}"
        )
    return form.contents.fields


def _check_count(said: StepCommit, asked: Asked) -> None:
    if said.rows != asked.count:
        raise ProblemError(
            "invalid", f"rows: found {said.rows}; infer was asked for {asked.count} samples"
        )


def _are_in_order(said: StepCommit, forms: Sequence[PartForm], asked: Asked) -> bool:
    """Whether the parts have just the samples in the order of the claim, as they mostly do."""
    samples = compress(range(asked.pool_size), asked.mask())
    for part, form in zip(said.parts, forms, strict=True):
        digest, left = sha256(), part.rows
        while left:
            some = array("Q", islice(samples, min(left, AT_ONCE)))
            if sys.byteorder == "big":
                some.byteswap()
            digest.update(some)
            left -= len(some)
        if form.contents is None or digest.hexdigest() != form.contents.index_digest:
            return False
    return True


def _pieces(paths: Sequence[Path]) -> Iterator[tuple[int, Sequence[int]]]:
    for number, path in enumerate(paths):
        for piece in read_indices(path):
            some = array("q", piece)
            if sys.byteorder == "big":
                some.byteswap()
            yield number, some


def _check_each(blocks: Any, asked: Asked) -> None:
    mask, size = asked.mask(), asked.pool_size
    for where, indices in blocks:
        for index in indices:
            if not 0 <= index < size or not mask[index]:
                raise ProblemError("invalid", f"{where}: {_wrong(index, asked)}")
            mask[index] = 0


def _wrong(index: int, asked: Asked) -> str:
    if not 0 <= index < asked.pool_size:
        return f"found index {index}; the pool has {asked.pool_size} samples"
    if index in asked.chosen:
        return f"found index {index}, which is labelled: infer was not asked for it"
    return f"index {index} stands twice"
