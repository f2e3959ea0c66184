"""What results files say of an experiment: the same data gives the same document.

What differs from run to run stands in members called `times` and `attempts`, and nowhere else.
"""

import csv
import io
import json
from collections import defaultdict
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from alectio_agent.hub.experiments.class_labels import count_classes, labels_of
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.indices import labelled_up_to, unpack
from alectio_agent.hub.experiments.record_names import names_of
from alectio_agent.hub.experiments.records import Experiment, named_experiment
from alectio_agent.hub.experiments.views import SHOWN_RESULTS, hyperparams_of
from alectio_agent.hub.store.tables import agents, attempts, jobs, results, selections
from alectio_agent.wire.experiment import METRIC_NAMES
from alectio_agent.wire.protocol import STEPS

SCHEMA = 1
CSV_COLUMNS = (
    "loop",
    "labels",
    "batch",
    *METRIC_NAMES,
    *(f"{step}_s" for step in STEPS),
    "chosen_by",
    "agent",
    "attempt",
    "done_at",
)

_KEPT: tuple[Any, ...] = (*SHOWN_RESULTS, results.c.provenance)


def read_document(tx: Connection, name: str, context: Context | None = None) -> dict[str, Any]:
    """Everything that is kept of an experiment.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        context: Knows the files of record names; without it samples have no names.

    Returns:
        Plain JSON.

    Raises:
        ProblemError: `not-found`.
    """
    experiment = named_experiment(tx, name)
    loops = _loops(tx, experiment)
    if context is not None:
        _add_names(tx, context, experiment, loops)
    return {
        "schema": SCHEMA,
        "name": experiment.name,
        "state": experiment.state,
        "reason": experiment.reason,
        "control": experiment.control,
        "control_of": experiment.control_of,
        "pipeline": experiment.pipeline,
        "pool": {"size": experiment.pool_size, "digest": experiment.pool_digest},
        "settings": experiment.settings.model_dump(mode="json"),
        "times": {"created_at": experiment.created_at, "ended_at": experiment.ended_at},
        "loops": loops,
    }


def as_json(document: dict[str, Any]) -> str:
    """Write a document, a line for each member and each loop.

    Args:
        document: As `read_document` makes it.

    Returns:
        JSON with sorted keys.
    """
    lines = []
    for key in sorted(document):
        value = document[key]
        if key == "loops" and value:
            text = "[\n  " + ",\n  ".join(_compact(loop) for loop in value) + "\n ]"
        else:
            text = _compact(value)
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def as_csv(document: dict[str, Any]) -> str:
    """Write the loops that are done as a table.

    Args:
        document: As `read_document` makes it.

    Returns:
        CSV with a heading; what is not known yet is left empty.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for loop in document["loops"]:
        if loop["state"] == "done":
            writer.writerow(_csv_row(loop))
    return text.getvalue()


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)


def _csv_row(loop: dict[str, Any]) -> dict[str, Any]:
    counted: dict[str, Any] = next(
        (tried for tried in reversed(loop["attempts"]) if tried["counted"]), {}
    )
    seconds = loop["times"]["seconds"]
    return {
        "loop": loop["loop"],
        "labels": loop["labels"],
        "batch": loop["batch"],
        **{name: (loop["metrics"] or {}).get(name, "") for name in METRIC_NAMES},
        **{f"{step}_s": f"{seconds[step]:.3f}" if step in seconds else "" for step in STEPS},
        "chosen_by": loop["chosen_by"],
        "agent": counted.get("agent", ""),
        "attempt": counted.get("attempt", ""),
        "done_at": loop["times"]["done_at"],
    }


def _loops(tx: Connection, experiment: Experiment) -> list[dict[str, Any]]:
    mine = jobs.c.experiment_id == experiment.experiment_id
    shown = select(jobs).where(mine, jobs.c.state != "rewound").order_by(jobs.c.loop)
    found = tx.execute(shown).all()
    chosen = {
        row.loop: row
        for row in tx.execute(
            select(selections).where(selections.c.experiment_id == experiment.experiment_id)
        )
    }
    given = defaultdict[str, list[Row[Any]]](list)
    for row in tx.execute(select(*_KEPT).join(jobs, jobs.c.job_id == results.c.job_id).where(mine)):
        given[row.job_id].append(row)
    tried = defaultdict[str, list[Row[Any]]](list)
    for row in tx.execute(
        select(attempts, agents.c.name.label("agent"))
        .join(jobs, jobs.c.job_id == attempts.c.job_id)
        .join(agents, agents.c.agent_id == attempts.c.agent_id)
        .where(mine)
        .order_by(attempts.c.attempt)
    ):
        tried[row.job_id].append(row)
    return [
        {
            **_loop(job, chosen[job.loop], given[job.job_id], tried[job.job_id]),
            **_classes(tx, experiment, job, chosen, given[job.job_id]),
        }
        for job in found
    ]


def _add_names(
    tx: Connection, context: Context, experiment: Experiment, loops: list[dict[str, Any]]
) -> None:
    """Names of what was selected, read for all loops at once."""
    selected = [index for loop in loops for index in loop["selected"]]
    found = names_of(tx, context, experiment, selected)
    if found is not None:
        names = iter(found)
        for loop in loops:
            loop["names"] = list(islice(names, len(loop["selected"])))


def _classes(
    tx: Connection,
    experiment: Experiment,
    job: Row[Any],
    chosen: dict[int, Row[Any]],
    given: list[Row[Any]],
) -> dict[str, Any]:
    """Labels of the batch, and how the classes are divided; None for what is not known."""
    trained = next((row for row in given if row.step == "train" and row.is_counted), None)
    labelled = labelled_up_to(tx, experiment.experiment_id, job.loop)
    known = labels_of(trained, labelled)
    after = chosen.get(job.loop + 1)
    return {
        "batch_labels": None
        if known is None
        else [known.get(index) for index in unpack(chosen[job.loop].indices)],
        "class_counts": {
            "labelled": count_classes(known, experiment.settings),
            # What this loop's infer said of the rest of the pool, counted when the next batch was
            # chosen from it.
            "predicted": None if after is None else json.loads(after.detail).get("predicted"),
        },
    }


def _loop(
    job: Row[Any], chosen: Row[Any], given: list[Row[Any]], tried: list[Row[Any]]
) -> dict[str, Any]:
    counted = {row.step: row for row in given if row.is_counted}
    tested = counted.get("test")
    judged = {} if tested is None or tested.metrics is None else json.loads(tested.metrics)
    return {
        "loop": job.loop,
        "state": job.state,
        "problem": job.problem,
        "labels": job.labelled,
        "batch": chosen.count,
        "chosen_by": chosen.chosen_by,
        "selected": unpack(chosen.indices),
        "names": None,
        "selection": {**json.loads(chosen.detail), "settings": json.loads(chosen.settings)},
        "metrics": judged.get("metrics"),
        "per_class": judged.get("per_class"),
        "confusion": judged.get("confusion"),
        "calibration": judged.get("calibration"),
        "metrics_error": judged.get("error"),
        "hyperparams": hyperparams_of(counted.get("train")),
        "provenance": _provenance(counted.get("train")),
        "rows": {step: counted[step].rows for step in STEPS if step in counted},
        "warnings": {step: json.loads(counted[step].warnings) for step in STEPS if step in counted},
        "times": _times(job, chosen, counted),
        "attempts": [_attempt(row, given) for row in tried],
    }


def _provenance(trained: Row[Any] | None) -> dict[str, Any] | None:
    """What the counted train run was made of; None when its agent did not tell."""
    if trained is None or trained.provenance is None:
        return None
    told: dict[str, Any] = json.loads(trained.provenance)
    return told


def _times(job: Row[Any], chosen: Row[Any], counted: dict[str, Row[Any]]) -> dict[str, Any]:
    return {
        "selected_at": chosen.made_at,
        "done_at": job.done_at,
        "seconds": {step: counted[step].duration_s for step in STEPS if step in counted},
        "steps": {
            step: {"started_at": row.started_at, "finished_at": row.finished_at}
            for step, row in counted.items()
        },
    }


def _attempt(tried: Row[Any], given: list[Row[Any]]) -> dict[str, Any]:
    """One attempt, with what it committed: what counts, and what is void."""
    own = [row for row in given if row.lease == tried.lease]
    return {
        "attempt": tried.attempt,
        "agent": tried.agent,
        "state": tried.state,
        "checkpoint": tried.ckpt_file,
        "resume_from": tried.resume_from,
        "class": tried.failure_class,
        "step": tried.failed_step or tried.lost_step,
        "message": tried.message,
        "traceback": tried.traceback,
        "counted": [row.step for row in own if row.is_counted],
        "void": [
            {"step": row.step, "rows": row.rows, "duration_s": row.duration_s,
             "warnings": json.loads(row.warnings), "received_at": row.received_at}
            for row in own
            if not row.is_counted
        ],
        "issued_at": tried.issued_at,
        "started_at": tried.started_at,
        "ended_at": tried.ended_at,
    }  # fmt: skip
