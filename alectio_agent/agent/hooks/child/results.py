"""A checked result of a step, ready to be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from alectio_agent.agent.hooks.child.columns import Column


@dataclass(frozen=True)
class Asked:
    """What the experiment says about the results it wants.

    Attributes:
        task: One of the tasks of the wire.
        classes: Number of classes; None for tasks without.
        class_names: In column order; None when only the count is known.
        output: What rows of `infer` hold, such as `logits`.
        unlabeled: The indices that `infer` was asked about, in increasing order.
    """

    task: str
    classes: Optional[int] = None
    class_names: Optional[list[str]] = None
    output: Optional[str] = None
    unlabeled: Sequence[int] = ()


@dataclass(frozen=True)
class Notice:
    """Something a person should know about a result that was accepted.

    Attributes:
        kind: The same for the same reason.
        is_once: One mention is enough for the life of the process.
    """

    kind: str
    text: str
    is_once: bool = False


@dataclass(frozen=True)
class Result:
    """Rows of a step in increasing order of their samples, as columns or as plain values.

    Attributes:
        index: Distinct samples.
        columns: Fields of numbers; empty when `values` holds the rows.
        values: A plain value for each sample.
        form: What a row is as a plain value: `row` (a list of scores), `fields` (a dict), or
            `pair` (`[prediction, label]`, and a list of scores when there are further columns);
            in `pair_fields` the scores are a dict.
        inline: All there is to say, for `train`, which has no rows.
    """

    index: Sequence[int]
    columns: tuple[Column, ...] = ()
    values: list[Any] = field(default_factory=list)
    form: str = "row"
    inline: Optional[dict[str, Any]] = None
    notices: tuple[Notice, ...] = ()

    def plain_rows(self, start: int, stop: int) -> list[Any]:
        """Some rows as plain values."""
        if not self.columns:
            return self.values[start:stop]
        if not self.form.startswith("pair"):
            return _rows(self.columns, self.form, start, stop)
        predictions, labels = (column.rows(start, stop) for column in self.columns[:2])
        pairs = [list(pair) for pair in zip(predictions, labels)]
        if len(self.columns) == 2:
            return pairs
        form = "row" if self.form == "pair" else "fields"
        scores = _rows(self.columns[2:], form, start, stop)
        return [[*pair, row] for pair, row in zip(pairs, scores)]


def _rows(columns: tuple[Column, ...], form: str, start: int, stop: int) -> list[Any]:
    fields = [column.rows(start, stop) for column in columns]
    if form == "row":
        return fields[0]
    names = [column.name for column in columns]
    return [dict(zip(names, row)) for row in zip(*fields)]
