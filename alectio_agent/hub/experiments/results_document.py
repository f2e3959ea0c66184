"""What results files say of an experiment: the same data gives the same document.

What differs from run to run stands in members called `times` and `attempts`, and nowhere else.
"""

import json
from collections import defaultdict
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select

from alectio_agent.hub.experiments.class_labels import count_classes, labels_of, told_counts
from alectio_agent.hub.experiments.indices import unpack
from alectio_agent.hub.experiments.label_story import Chapter, LabelStory
from alectio_agent.hub.experiments.labels import all_labels
from alectio_agent.hub.experiments.name_files import NameFiles
from alectio_agent.hub.experiments.record_names import names_of
from alectio_agent.hub.experiments.records import Experiment, named_experiment
from alectio_agent.hub.experiments.views import SHOWN_RESULTS, hyperparams_of
from alectio_agent.hub.store.tables import agents, attempts, jobs, results, selections
from alectio_agent.wire.protocol import STEPS

SCHEMA = 1

_KEPT: tuple[Any, ...] = (*SHOWN_RESULTS, results.c.provenance)


def read_document(tx: Connection, name: str, names: NameFiles | None = None) -> dict[str, Any]:
    """Everything that is kept of an experiment.

    Args:
        tx: Any transaction.
        name: Of the experiment.
        names: The files of record names; without them samples have no names.

    Returns:
        Plain JSON.

    Raises:
        ProblemError: `not-found`.
    """
    experiment = named_experiment(tx, name)
    loops = _loops(tx, experiment)
    if names is not None:
        _add_names(tx, names, experiment, loops)
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


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)


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
    asks_people = experiment.settings.labels.are_asked_for
    story = LabelStory(experiment.settings, all_labels(tx, experiment))
    so_far: list[int] = []
    loops = []
    for job in found:
        batch = unpack(chosen[job.loop].indices)
        trained = next(
            (row for row in given[job.job_id] if row.step == "train" and row.is_counted), None
        )
        if asks_people:
            labels = _people_said(story.go_on(batch, job.labels_upto))
        else:
            so_far = sorted([*so_far, *batch])
            labels = _hooks_said(experiment, trained, batch, so_far)
        labels["class_counts"]["predicted"] = _predicted(chosen.get(job.loop + 1))
        loops.append(
            {**_loop(job, chosen[job.loop], given[job.job_id], tried[job.job_id]), **labels}
        )
    return loops


def _people_said(chapter: Chapter) -> dict[str, Any]:
    return {
        "batch_labels": chapter.batch,
        "class_counts": {"labelled": chapter.counts},
        "label_changes": chapter.changes,
    }


def _hooks_said(
    experiment: Experiment, trained: Row[Any] | None, batch: list[int], so_far: list[int]
) -> dict[str, Any]:
    """The same of labels that lie with the hooks, as far as `train` returned them."""
    known = labels_of(trained, so_far)
    if known is None:
        counts, of_batch = told_counts(trained, experiment.settings), None
    else:
        counts = count_classes(known, experiment.settings)
        of_batch = [known.get(index) for index in batch]
    return {
        "batch_labels": of_batch,
        "class_counts": {"labelled": counts},
        "label_changes": None,
    }


def _predicted(after: Row[Any] | None) -> list[int] | None:
    """What a loop's infer said of the rest of the pool, counted when the next batch was chosen."""
    counts: list[int] | None = None if after is None else json.loads(after.detail).get("predicted")
    return counts


def _add_names(
    tx: Connection, files: NameFiles, experiment: Experiment, loops: list[dict[str, Any]]
) -> None:
    """Names of what was selected, read for all loops at once."""
    selected = [index for loop in loops for index in loop["selected"]]
    found = names_of(tx, files, experiment, selected)
    if found is not None:
        names = iter(found)
        for loop in loops:
            loop["names"] = list(islice(names, len(loop["selected"])))


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
        "warnings": _warnings(counted, judged),
        "times": _times(job, chosen, counted),
        "attempts": [_attempt(row, given) for row in tried],
    }


def _warnings(counted: dict[str, Row[Any]], judged: dict[str, Any]) -> dict[str, list[str]]:
    """What was noticed in each step, and in the metrics when there is something."""
    told = {step: json.loads(counted[step].warnings) for step in STEPS if step in counted}
    return told | ({"metrics": judged["warnings"]} if judged.get("warnings") else {})


def _provenance(trained: Row[Any] | None) -> dict[str, Any] | None:
    """What the counted train run was made of; None when its agent did not tell."""
    if trained is None or trained.provenance is None:
        return None
    told: dict[str, Any] = json.loads(trained.provenance)
    return told


def _times(job: Row[Any], chosen: Row[Any], counted: dict[str, Row[Any]]) -> dict[str, Any]:
    return {
        "selected_at": chosen.made_at,
        "asked_at": job.asked_at,
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
