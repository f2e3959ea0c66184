"""Takes labels that people bring: all of them, or none."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.experiments.absence import awaited_agent
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.indices import chosen_up_to
from alectio_agent.hub.experiments.label_values import LabelValueError, read_label
from alectio_agent.hub.experiments.labelling import awaited_labels, consider, take_tally
from alectio_agent.hub.experiments.labels import StoredLabel, add_labels, all_labels, newest_of
from alectio_agent.hub.experiments.progress import mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_experiment,
    experiment_in_state,
    experiment_of,
    named_experiment,
    newest_job,
)
from alectio_agent.wire.labels import LabelImport, LabelRow, LabelsImported
from alectio_agent.wire.strict_json import dumps

NOT_CANCELLED = ("running", "waiting", "paused", "finished")
MOST_TOLD = 1000
"""Rows that are wrong and told: a wrong file may have them all."""


def import_labels(tx: Connection, context: Context, name: str, said: LabelImport) -> LabelsImported:
    """Keep the labels, and let the newest loop go on when enough are there.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        name: Of the experiment.
        said: The rows.

    Returns:
        What was new, and what happens now.

    Raises:
        ProblemError: `not-found`; `conflict`: it was cancelled, or asks nobody; `invalid`: with
            what is wrong with each row.
    """
    experiment = asking_experiment(tx, name)
    experiment_in_state(tx, name, NOT_CANCELLED, "was not cancelled")
    known = newest_of(all_labels(tx, experiment))
    values = _checked(tx, experiment, said.rows)
    counts: Counter[str] = Counter()
    moment = context.now()
    new_rows = []
    for row in said.rows:
        value, before = values[row.index], known.get(row.index)
        counts[_kind(value, before)] += 1
        if before is None or not _is_same(row, value, before):
            new_rows.append(_as_row(experiment, row, value, moment))
    if said.only_check:
        new_rows = []
    add_labels(tx, new_rows)
    is_started = False
    if new_rows:
        change_experiment(tx, experiment.experiment_id)
        mark_changed(tx, context, name)
        is_started = consider(tx, context, experiment.experiment_id)
    return _outcome(tx, context, experiment, counts, is_started=is_started)


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


def _checked(tx: Connection, experiment: Experiment, rows: list[LabelRow]) -> dict[int, Any]:
    """Sample to its label as hooks get it; None for an excluded one."""
    newest = newest_job(tx, experiment.experiment_id)
    last = -1 if newest is None else newest.loop
    chosen = set(chosen_up_to(tx, experiment.experiment_id, last))
    values: dict[int, Any] = {}
    problems = []
    for at, row in enumerate(rows):
        problem = _misplaced(experiment, row, chosen, values)
        if not problem and row.label is not None:
            try:
                values[row.index] = read_label(experiment.settings, row.label)
            except LabelValueError as error:
                problem = f"label: {error}"
        values.setdefault(row.index, None)
        if problem:
            problems.append({"row": at, "index": row.index, "problem": problem})
    if problems:
        raise _refusal(experiment.name, problems)
    return values


def _misplaced(
    experiment: Experiment, row: LabelRow, chosen: set[int], values: Mapping[int, Any]
) -> str:
    size = experiment.pool_size or 0
    if row.index in values:
        return f"index: found {row.index} a second time"
    if row.index >= size:
        return f"index: found {row.index}; the pool has {size:,} samples, from 0 to {size - 1}"
    if row.index not in chosen:
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


def _as_row(experiment: Experiment, row: LabelRow, value: Any, moment: str) -> dict[str, Any]:
    return {
        "experiment_id": experiment.experiment_id,
        "sample": row.index,
        "value": None if value is None else dumps(value),
        "annotator": row.annotator,
        "seconds": row.seconds,
        "imported_at": moment,
    }


def _outcome(
    tx: Connection,
    context: Context,
    before: Experiment,
    counts: Mapping[str, int],
    *,
    is_started: bool,
) -> LabelsImported:
    experiment = experiment_of(tx, before.experiment_id)
    job = newest_job(tx, before.experiment_id)
    tally = None if job is None else take_tally(tx, experiment, job)
    waits_for = awaited_labels(tx, experiment) or awaited_agent(tx, context, experiment)
    return LabelsImported.model_validate(
        {
            **{kind: counts[kind] for kind in ("new", "corrected", "unchanged", "excluded")},
            "state": experiment.state,
            "missing": 0 if tally is None else tally.missing,
            "asked": 0 if tally is None else tally.asked,
            "loop": None if job is None else job.loop,
            "started": is_started,
            "effective_loop": _effective_loop(experiment, job, is_started=is_started),
            "waits_for": waits_for,
        }
    )


def _effective_loop(experiment: Experiment, job: Job | None, *, is_started: bool) -> int | None:
    if job is None:
        return None
    if is_started or job.state == "labelling":
        return job.loop
    if experiment.is_over or job.loop + 1 >= experiment.settings.loops:
        return None
    return job.loop + 1
