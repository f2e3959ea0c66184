"""Selections: which one is owed, what it is asked of, and its one insertion per loop."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from alectio_agent.core.ids import new_id
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.indices import pack, unpack
from alectio_agent.hub.experiments.labelling import ask
from alectio_agent.hub.experiments.parts import has_lost_parts, result_files
from alectio_agent.hub.experiments.progress import mark_changed, repeat_infer, wants_infer
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_experiment,
    change_job,
    experiment_of,
    experiment_record,
    newest_job,
)
from alectio_agent.hub.experiments.spending import (
    Spent,
    excluded_elsewhere,
    never_again,
    spent_by,
    spent_up_to,
)
from alectio_agent.hub.experiments.waiting import halt
from alectio_agent.hub.store.prepared import PreparedChange, PreparedQuery
from alectio_agent.hub.store.tables import experiments, jobs, results, selections
from alectio_agent.hub.store.transactions import after_commit
from alectio_agent.wire.pools import batch_left
from alectio_agent.wire.selection import StrategyPart
from alectio_agent.wire.strict_json import canonical, dumps

_TOLD = ("between", "predicted", "histogram", "near_misses")
"""What a selection tells about itself, beside what it is; see `analysis.answering`."""

FEW = 8
"""Nearly always the first that owes a selection can have it: thousands more need not be read."""

_OWING = PreparedQuery(
    select(experiments)
    .where(experiments.c.state == "running", experiments.c.owed_loop.is_not(None))
    .order_by(experiments.c.priority, experiments.c.position)
    .limit(FEW)
    .offset(bindparam("skipped"))
)
_INFERRED = PreparedQuery(
    select(results.c.media_type, results.c.parts, results.c.inline).where(
        results.c.job_id == bindparam("of"), results.c.is_counted, results.c.step == "infer"
    )
)
_INSERT = PreparedChange(insert(selections))
_INSERT_JOB = PreparedChange(insert(jobs))
_REWOUND = PreparedQuery(
    select(jobs.c.job_id, jobs.c.attempt).where(
        jobs.c.experiment_id == bindparam("of"),
        jobs.c.loop == bindparam("at"),
        jobs.c.state == "rewound",
    )
)


@dataclass(frozen=True)
class OwedSelection:
    """A selection that is owed.

    Attributes:
        request: For the analysis process.
        read: What of the settings it depends on.
        copied: The batch, when it is that of another experiment; None asks the process.
    """

    experiment_id: str
    loop: int
    request: dict[str, Any]
    read: str
    copied: dict[str, Any] | None = None


def next_owed(tx: Connection, context: Context) -> OwedSelection | None:
    """The selection that is owed first.

    Args:
        tx: Any transaction.
        context: Knows where parts lie.

    Returns:
        None when none is owed that can be made now.
    """
    for experiment in _owing(tx):
        if experiment.control_of is None or experiment.owed_loop != 0:
            return _owed(tx, context, experiment)
        # A control begins with the very batch of its experiment, once that is there.
        first = _first_batch(tx, experiment)
        if first is not None:
            return replace(_owed(tx, context, experiment), copied=first)
    return None


def _owing(tx: Connection) -> Iterator[Experiment]:
    skipped = 0
    while rows := _OWING.rows(tx, skipped=skipped):
        yield from map(experiment_record, rows)
        skipped += len(rows)


def insert_selection(
    tx: Connection, context: Context, owed: OwedSelection, found: dict[str, Any]
) -> bool:
    """Keep a selection, and make the job of its loop.

    Args:
        tx: A writing transaction.
        context: For time and memory.
        owed: As it was read.
        found: `indices`, `scores`, `reasons` and more, as the analysis process answered.

    Returns:
        Whether it is still what is owed; if not, nothing was written.
    """
    experiment = experiment_of(tx, owed.experiment_id)
    if not _is_owed(tx, context, experiment, owed):
        return False
    before = newest_job(tx, experiment.experiment_id)
    problem = _mistake(tx, experiment, owed, found)
    if problem:
        halt(tx, context, experiment, _told(experiment.name, owed.loop, problem))
        return True
    _insert_rows(tx, context, owed, found)
    _make_job(tx, context, experiment, before, len(found["indices"]))
    change_experiment(tx, experiment.experiment_id, owed_loop=None)
    mark_changed(tx, context, experiment.name, may_wait=True)
    if experiment.control is not None:
        after_commit(tx, context.due.selections.set)
    return True


def refuse_selection(tx: Connection, context: Context, owed: OwedSelection, problem: str) -> None:
    """A selection cannot be made: a person is needed.

    Args:
        tx: A writing transaction.
        context: For workers.
        owed: As it was read; it stays owed. One that no longer is stops nobody.
        problem: What the analysis process said. When files of what it should choose from are gone,
            they are made again.
    """
    experiment = experiment_of(tx, owed.experiment_id)
    if not _is_owed(tx, context, experiment, owed):
        return
    before = newest_job(tx, experiment.experiment_id)
    if before is not None and has_lost_parts(tx, context, before.job_id, "infer"):
        repeat_infer(tx, context, experiment, before)
        return
    halt(tx, context, experiment, _told(experiment.name, owed.loop, problem))


def _is_owed(tx: Connection, context: Context, experiment: Experiment, owed: OwedSelection) -> bool:
    """Whether a selection is still the one that is owed, and not from other settings or pool."""
    if experiment.owed_loop != owed.loop or experiment.state != "running":
        return False
    if owed.copied is not None and owed.copied != _first_batch(tx, experiment):
        return False
    return _owed(tx, context, experiment).request == owed.request


def _told(name: str, loop: int, problem: str) -> str:
    """For the person who is needed: what is wrong, and what to type."""
    return (
        f"E-EXP-08  selection for loop {loop}: {problem}. To choose again: "
        f"alectio-agent experiment retry {name}. When the scores are wrong, mend infer, then: "
        f"alectio-agent experiment rewind {name}"
    )


def _first_batch(tx: Connection, control: Experiment) -> dict[str, Any] | None:
    first = (
        select(selections.c.indices, selections.c.detail)
        .join(experiments, experiments.c.experiment_id == selections.c.experiment_id)
        .where(experiments.c.name == control.control_of, selections.c.loop == 0)
    )
    row = tx.execute(first).one_or_none()
    return None if row is None else {"indices": unpack(row.indices), **json.loads(row.detail)}


def _owed(tx: Connection, context: Context, experiment: Experiment) -> OwedSelection:
    settings, loop = experiment.settings, experiment.owed_loop or 0
    before = newest_job(tx, experiment.experiment_id)
    labelled, spent = before.labelled if before else 0, spent_by(tx, experiment, before)
    pool_size = experiment.pool_size or 0
    read = {
        "seed": settings.seed,
        "batch": batch_left(settings, loop, spent.labels, pool_size, spent.chosen),
        "strategy": [part.model_dump() for part in _strategy(experiment, loop, labelled)],
        "tie_break": settings.tie_break,
        "dedup": settings.dedup,
        "subsample": settings.subsample,
        "output": settings.output_kind,
        "classes": settings.class_count,
    }
    request = {"op": "select", "loop": loop, "soon": settings.strategy_names, **read}
    result = None if before is None else _infer_result(tx, context, before)
    if result is None:
        request |= {"pool": pool_size, "labeled": never_again(tx, experiment, loop)}
    elif kept_out := excluded_elsewhere(tx, experiment, loop):
        # What infer said is of samples that were in no loop then.
        request |= {"labeled": kept_out}
    return OwedSelection(
        experiment.experiment_id, loop, {**request, "result": result}, canonical(read)
    )


def _strategy(experiment: Experiment, loop: int, labelled: int) -> list[StrategyPart]:
    if loop == 0:
        return [StrategyPart(name=experiment.settings.initial.strategy)]
    return experiment.settings.strategy_at(labelled)


def _infer_result(tx: Connection, context: Context, job: Job) -> dict[str, Any] | None:
    row = _INFERRED.row(tx, of=job.job_id)
    return None if row is None else result_files(context, job.job_id, row)


def _mistake(
    tx: Connection, experiment: Experiment, owed: OwedSelection, found: dict[str, Any]
) -> str:
    """What is wrong with an answer: labels must never be paid for twice."""
    chosen = found["indices"]
    # A control repeats the first batch of its experiment, whatever its own `batch` says by now.
    wanted = owed.request["batch"] if owed.copied is None else len(owed.copied["indices"])
    if len(set(chosen)) != len(chosen) or len(chosen) != wanted:
        return f"{len(set(chosen))} samples were chosen; expected {wanted}"
    if any(not 0 <= index < (experiment.pool_size or 0) for index in chosen):
        return f"a sample outside the pool of {experiment.pool_size} was chosen"
    again = sorted(set(chosen).intersection(never_again(tx, experiment, owed.loop)))
    return f"sample {again[0]} was chosen a second time" if again else ""


def _insert_rows(
    tx: Connection, context: Context, owed: OwedSelection, found: dict[str, Any]
) -> None:
    reasons: list[str] = found["reasons"]
    detail = {"scores": found["scores"], "reasons": reasons}
    detail |= {"pool": found.get("pool"), "equal_rows": found.get("equal_rows", 0)}
    # A batch that was copied from an older row may lack them, and is kept without them.
    detail |= {name: found[name] for name in _TOLD if name in found}
    row = {
        "experiment_id": owed.experiment_id,
        "loop": owed.loop,
        "indices": pack(found["indices"]),
        "count": len(found["indices"]),
        "chosen_by": _chosen_by(owed.request["strategy"]),
        "detail": dumps(detail),
        "settings": owed.read,
        "made_at": context.now(),
    }
    _INSERT.run(tx, **row)


def _chosen_by(strategy: list[dict[str, Any]]) -> str:
    if len(strategy) == 1:
        return str(strategy[0]["name"])
    return ", ".join(f"{part['name']} {part['share'] * 100:g} %" for part in strategy)


def _make_job(
    tx: Connection, context: Context, experiment: Experiment, before: Job | None, batch: int
) -> None:
    loop = 0 if before is None else before.loop + 1
    labelled, is_asked = before.labelled if before else 0, experiment.settings.labels.are_asked_for
    if not is_asked:
        labelled += batch
    values: dict[str, object] = {
        "state": "labelling" if is_asked else "available",
        "labelled": labelled,
        "has_infer": wants_infer(experiment, loop, _spent_with(tx, experiment, loop, labelled)),
        "resume_file": None if before is None else before.ckpt_file,
        "is_from_scratch": False,
        "problem": "",
        "available_at": context.turns.next(tx),
        "asked_at": context.now() if is_asked else None,
        "labels_upto": None,
    }
    rewound = _REWOUND.row(tx, of=experiment.experiment_id, at=loop)
    job_id = new_id() if rewound is None else rewound["job_id"]
    if rewound is not None:
        # The same job goes on counting its attempts, so that names of checkpoints stay unique.
        change_job(tx, job_id, **values, fresh_attempt=rewound["attempt"])
    else:
        new = {"job_id": job_id, "experiment_id": experiment.experiment_id, "loop": loop}
        _INSERT_JOB.run(tx, **values, **new, attempt=0, fresh_attempt=0)
    if is_asked:
        ask(tx, context, experiment.experiment_id)
    else:
        after_commit(tx, partial(context.leases.offer, job_id))


def _spent_with(tx: Connection, experiment: Experiment, loop: int, labelled: int) -> Spent:
    """What is used up with the batch that was just inserted."""
    if experiment.settings.labels.are_asked_for:
        return spent_up_to(tx, experiment.experiment_id, loop)
    return Spent(labelled, labelled)
