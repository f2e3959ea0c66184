"""Takes labels that people bring: all of them, or none."""

from collections.abc import Mapping

from sqlalchemy import Connection

from alectio_agent.hub.experiments.absence import awaited_agent
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.label_checks import (
    Checked,
    asking_experiment,
    check,
    see,
    take_mark,
)
from alectio_agent.hub.experiments.labelling import Tally, awaited_labels, consider, take_tally
from alectio_agent.hub.experiments.labels import add_labels
from alectio_agent.hub.experiments.progress import mark_changed
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    change_experiment,
    experiment_in_state,
    experiment_of,
    newest_job,
)
from alectio_agent.wire.labels import LabelImport, LabelsImported

NOT_CANCELLED = ("running", "waiting", "paused", "finished")
KINDS = ("new", "corrected", "unchanged", "excluded", "unasked")


def import_labels(
    tx: Connection, context: Context, name: str, said: LabelImport, checked: Checked | None = None
) -> LabelsImported:
    """Keep the labels, and let the newest loop go on when enough are there.

    Args:
        tx: A writing transaction.
        context: For time, memory and workers.
        name: Of the experiment.
        said: The rows.
        checked: What was worked out of them beside the writer, which then does little; it is
            worked out anew here when something that it depends on changed meanwhile.

    Returns:
        What was new, and what happens now.

    Raises:
        ProblemError: `not-found`; `conflict`: it was cancelled, or asks nobody; `invalid`: with
            what is wrong with each row.
    """
    experiment = asking_experiment(tx, name)
    experiment_in_state(tx, name, NOT_CANCELLED, "was not cancelled")
    if checked is None or checked.mark != take_mark(tx, experiment):
        checked = check(see(tx, name), said, context.now())
    is_taken, is_started = bool(checked.rows) and not said.only_check, False
    if is_taken:
        add_labels(tx, checked.rows)
        change_experiment(tx, experiment.experiment_id)
        mark_changed(tx, context, name)
    job = newest_job(tx, experiment.experiment_id)
    tally = None if job is None else take_tally(tx, experiment, job)
    if is_taken:
        is_started = consider(tx, context, experiment.experiment_id, tally)
    experiment = experiment_of(tx, experiment.experiment_id)
    waits_for = awaited_labels(tx, experiment, tally) or awaited_agent(tx, context, experiment)
    return _outcome(experiment, job, tally, checked.counts, waits_for, is_started=is_started)


def _outcome(
    experiment: Experiment,
    job: Job | None,
    tally: Tally | None,
    counts: Mapping[str, int],
    waits_for: str,
    *,
    is_started: bool,
) -> LabelsImported:
    return LabelsImported.model_validate(
        {
            **{kind: counts[kind] for kind in KINDS},
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
