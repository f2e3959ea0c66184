"""What an import would do, worked out beside the writer: there may be a million rows."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.indices import chosen_up_to
from alectio_agent.hub.experiments.label_values import LabelReader, LabelValueError
from alectio_agent.hub.experiments.labels import (
    NewLabel,
    StoredLabel,
    all_labels,
    asked_samples,
    newest_of,
    newest_position,
)
from alectio_agent.hub.experiments.records import Experiment, named_experiment, newest_job
from alectio_agent.wire.labels import LabelImport, LabelRow
from alectio_agent.wire.strict_json import dumps

MOST_TOLD = 1000
"""Rows that are wrong and told: a wrong file may have them all."""


@dataclass(frozen=True)
class Mark:
    """What an import depends on; as long as it is the same, so is what the import does."""

    settings: str
    pool_size: int | None
    newest: int
    chosen: list[int]
    asked: Set[int]


@dataclass(frozen=True)
class Seen:
    """An experiment as an import finds it.

    Attributes:
        known: All that people said before, oldest first.
        mark: What this depends on.
    """

    experiment: Experiment
    known: list[StoredLabel]
    mark: Mark


@dataclass(frozen=True)
class Checked:
    """An import that is right, for an experiment as it was.

    Attributes:
        rows: What is to be added.
        counts: How many are `new`, `corrected`, `unchanged`, `excluded`; and `unasked`, of samples
            whose loop was rewound.
        mark: What this depends on.
    """

    rows: list[NewLabel]
    counts: Counter[str]
    mark: Mark


def asking_experiment(tx: Connection, name: str) -> Experiment:
    """The experiment of that name, if it asks people for labels.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`, or `conflict`: its hooks have the labels.
    """
    experiment = named_experiment(tx, name)
    if not experiment.settings.labels.are_asked_for:
        raise ProblemError(
            "conflict",
            f"experiment `{name}` asks nobody for labels: they lie with its hooks (labels.kind is "
            "`known`). Nothing was changed",
            code="E-EXP-13",
        )
    return experiment


def see(tx: Connection, name: str) -> Seen:
    """Read what an import depends on.

    Args:
        tx: Any transaction.
        name: Of the experiment.

    Raises:
        ProblemError: `not-found`, or `conflict`: its hooks have the labels.
    """
    experiment = asking_experiment(tx, name)
    return Seen(experiment, all_labels(tx, experiment), take_mark(tx, experiment))


def take_mark(tx: Connection, experiment: Experiment) -> Mark:
    """What an import depends on, to be compared with what it was.

    Args:
        tx: Any transaction.
        experiment: As it is.
    """
    of = experiment.experiment_id
    newest = newest_job(tx, of)
    return Mark(
        experiment.settings.model_dump_json(),
        experiment.pool_size,
        newest_position(tx, of),
        chosen_up_to(tx, of, -1 if newest is None else newest.loop),
        asked_samples(tx, of),
    )


def check(seen: Seen, said: LabelImport, moment: str) -> Checked:
    """Work out what an import does; touches no table.

    Args:
        seen: The experiment as it is.
        said: The rows.
        moment: Now, RFC 3339.

    Raises:
        ProblemError: `invalid`, with what is wrong with each row.
    """
    values = _values(seen, said.rows)
    known, chosen = newest_of(seen.known), set(seen.mark.chosen)
    counts, texts, rows = Counter[str](), _Texts(), []
    for row in said.rows:
        value, before = values[row.index], known.get(row.index)
        counts[_kind(value, before)] += 1
        counts["unasked"] += row.index not in chosen
        if before is None or not _is_same(row, value, before):
            of = seen.experiment.experiment_id
            text = texts.of(value)
            rows.append(NewLabel(of, row.index, text, row.annotator, row.seconds, moment))
    return Checked(rows, counts, seen.mark)


class _Texts:
    """Labels as JSON: most are one of a few names, each of which is written once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            return dumps(value)
        text = self._names.get(value)
        if text is None:
            text = self._names[value] = dumps(value)
        return text


def _values(seen: Seen, rows: list[LabelRow]) -> dict[int, Any]:
    """Sample to its label as hooks get it; None for an excluded one."""
    values: dict[int, Any] = {}
    problems = []
    reader = LabelReader(seen.experiment.settings)
    for at, row in enumerate(rows):
        problem = _misplaced(seen, row, values)
        if not problem and row.label is not None:
            try:
                values[row.index] = reader.read(row.label)
            except LabelValueError as error:
                problem = f"label: {error}"
        values.setdefault(row.index, None)
        if problem:
            problems.append({"row": at, "index": row.index, "problem": problem})
    if problems:
        raise _refusal(seen.experiment.name, problems)
    return values


def _misplaced(seen: Seen, row: LabelRow, values: Mapping[int, Any]) -> str:
    size = seen.experiment.pool_size or 0
    if row.index in values:
        return f"index: found {row.index} a second time"
    if row.index >= size:
        return f"index: found {row.index}; the pool has {size:,} samples, from 0 to {size - 1}"
    if row.index not in seen.mark.asked:
        return f"index: sample {row.index} was never asked for"
    return ""


def _refusal(name: str, problems: list[dict[str, Any]]) -> ProblemError:
    first, count = problems[0], len(problems)
    more = f" (and {count - 1:,} more rows)" if count > 1 else ""
    return ProblemError(
        "invalid",
        f"labels of `{name}`: row {first['row']}, {first['problem']}{more}. Nothing was imported",
        code="E-EXP-12",
        rows=problems[:MOST_TOLD],
        wrong_rows=count,
    )


def _kind(value: Any, before: StoredLabel | None) -> str:
    if before is None:
        return "excluded" if value is None else "new"
    if before.value == value:
        return "unchanged"
    return "excluded" if value is None else "corrected"


def _is_same(row: LabelRow, value: Any, before: StoredLabel) -> bool:
    """What is not said is no change."""
    return (
        before.value == value
        and row.annotator in (None, before.annotator)
        and row.seconds in (None, before.seconds)
    )
