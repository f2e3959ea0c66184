"""Experiments as operators and viewers see them."""

import json
from collections import defaultdict
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, select

from alectio_agent.hub.experiments.absence import Attendance, awaited_agent
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.indices import unpack
from alectio_agent.hub.experiments.labelling import awaited_labels, with_labels
from alectio_agent.hub.experiments.records import (
    Experiment,
    Job,
    experiment_record,
    named_experiment,
)
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.tables import agents, experiments, jobs, results, selections
from alectio_agent.wire.operation import ExperimentList, ExperimentView, LoopView
from alectio_agent.wire.protocol import STEPS

MOST_KEPT_LOOPS = 1000
"""Of all experiments; those of the one that was shown last are kept however many they are."""
MOST_KEPT_LABELS = 100_000
"""Loops beyond this many labels are read anew each time, so that memory stays flat."""

_ALL = PreparedQuery(select(experiments).order_by(experiments.c.position))
# Made once, since a watched experiment is shown at each of its changes.
_MINE = (
    jobs.c.experiment_id == bindparam("of"),
    jobs.c.loop >= bindparam("first"),
    jobs.c.state != "rewound",
)
# Loops that change no more, as they are now: a rewound one is not done, or has more attempts; one
# whose infer is void, since the pool grew, has fewer results.
_DONE_BEFORE = (
    jobs.c.experiment_id == bindparam("of"),
    jobs.c.loop < bindparam("first"),
    jobs.c.state == "done",
)
_SETTLED = select(
    func.count(),
    func.coalesce(func.sum(jobs.c.attempt), 0),
    select(func.count())
    .select_from(results)
    .join(jobs, jobs.c.job_id == results.c.job_id)
    .where(*_DONE_BEFORE, results.c.is_counted)
    .scalar_subquery(),
).where(*_DONE_BEFORE)
_JOBS = select(jobs).where(*_MINE).order_by(jobs.c.loop)
# Inline results are wanted of `train` only: a small one of `infer` is inline as well.
SHOWN_RESULTS = (
    *(column for column in results.c if column.name not in ("inline", "provenance")),
    case((results.c.step == "train", results.c.inline)).label("inline"),
)
_COUNTED = (
    select(*SHOWN_RESULTS)
    .join(jobs, jobs.c.job_id == results.c.job_id)
    .where(*_MINE, results.c.is_counted)
)
_BATCHES = select(selections.c.loop, selections.c.indices, selections.c.chosen_by).where(
    selections.c.experiment_id == bindparam("of"), selections.c.loop >= bindparam("first")
)
_NAMES = (
    select(agents.c.agent_id, agents.c.name)
    .join(jobs, jobs.c.agent_id == agents.c.agent_id)
    .where(jobs.c.experiment_id == bindparam("of"), jobs.c.loop >= bindparam("first"))
    .distinct()
)


class Views:
    """Makes views; keeps those of loops that can change no more."""

    def __init__(self, context: Context) -> None:
        """Start without any.

        Args:
            context: For memory and folders.
        """
        self._context = context
        self._lock = Lock()
        self._settled: dict[str, list[LoopView]] = {}

    def show(self, tx: Connection, name: str) -> ExperimentView:
        """An experiment with its loops.

        Args:
            tx: Any transaction.
            name: Of the experiment.

        Raises:
            ProblemError: `not-found`.
        """
        experiment = named_experiment(tx, name)
        waits_for = awaited_labels(tx, experiment) or awaited_agent(tx, self._context, experiment)
        return self._view(experiment, waits_for, self._loops(tx, experiment))

    def list_experiments(self, tx: Connection) -> ExperimentList:
        """All experiments, without their loops.

        Args:
            tx: Any transaction.
        """
        rows = _ALL.rows(tx)
        found = [experiment_record(row) for row in rows]
        present = Attendance(tx, self._context)
        return ExperimentList(
            experiments=[
                self._view(entry, awaited_labels(tx, entry) or present.awaited_by(entry), [])
                for entry in found
            ]
        )

    def _view(
        self, experiment: Experiment, waits_for: str, loops: list[LoopView]
    ) -> ExperimentView:
        return ExperimentView.model_validate(
            {
                "experiment_id": experiment.experiment_id,
                "name": experiment.name,
                "state": experiment.state,
                "reason": experiment.reason,
                "waits_for": waits_for,
                "settings": experiment.settings,
                "pool": experiment.pool_size,
                "control": experiment.control,
                "control_of": experiment.control_of,
                "series": experiment.series,
                "version": experiment.version,
                "created_at": experiment.created_at,
                "results": str(self._context.results / experiment.name),
                "loops": loops,
            }
        )

    def _loops(self, tx: Connection, experiment: Experiment) -> list[LoopView]:
        settled = self._still_settled(tx, experiment.experiment_id)
        found = with_labels(tx, experiment, _read_loops(tx, experiment, len(settled)))
        views = settled + [view for _, view in found]
        for job, view in found:
            if view.loop != len(settled) or not _is_settled(job, view):
                break
            settled.append(view)
        self._keep(experiment.experiment_id, settled)
        if experiment.owed_loop is not None and experiment.state == "running":
            labels = views[-1].labels if views else 0
            views.append(
                LoopView(loop=experiment.owed_loop, state="selecting", labels=labels, chosen_by="")
            )
        return views

    def _keep(self, experiment_id: str, settled: list[LoopView]) -> None:
        """Keep what is settled of this experiment, and of those shown before as far as it fits."""
        with self._lock:
            self._settled.pop(experiment_id, None)
            self._settled[experiment_id] = settled
            loops = sum(map(len, self._settled.values()))
            for oldest in list(self._settled)[:-1]:
                if loops <= MOST_KEPT_LOOPS:
                    return
                loops -= len(self._settled.pop(oldest))

    def _still_settled(self, tx: Connection, experiment_id: str) -> list[LoopView]:
        """What is kept, unless the experiment was rewound: none is trusted without a look."""
        with self._lock:
            settled = list(self._settled.get(experiment_id, []))
        if settled:
            row = tx.execute(_SETTLED, {"of": experiment_id, "first": len(settled)}).one()
            attempts = sum(view.attempt for view in settled)
            counted = sum(len(view.seconds) for view in settled)
            if tuple(row) != (len(settled), attempts, counted):
                return []
        return settled


def _is_settled(job: Job, view: LoopView) -> bool:
    is_whole = view.returned == view.asked and job.labelled <= MOST_KEPT_LABELS
    return job.state == "done" and view.metrics is not None and is_whole


def _read_loops(tx: Connection, experiment: Experiment, first: int) -> list[tuple[Job, LoopView]]:
    wanted = {"of": experiment.experiment_id, "first": first}
    found = [Job(**row) for row in tx.execute(_JOBS, wanted).mappings()]
    counted: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in tx.execute(_COUNTED, wanted):
        counted[row.job_id].append(row)
    batches: list[Row[Any]] = list(tx.execute(_BATCHES, wanted))
    chosen = {row.loop: row for row in batches}
    names = {row.agent_id: row.name for row in tx.execute(_NAMES, wanted)}
    return [
        (job, _loop_view(job, chosen[job.loop], counted[job.job_id], names.get(job.agent_id or "")))
        for job in found
    ]


def _loop_view(job: Job, chosen: Row[Any], counted: list[Row[Any]], agent: str | None) -> LoopView:
    by_step = {row.step: row for row in counted}
    judged = _metrics_of(by_step.get("test"))
    return LoopView.model_validate(
        {
            "loop": job.loop,
            "state": job.state,
            "labels": job.labelled,
            "chosen_by": chosen.chosen_by,
            "selected": unpack(chosen.indices),
            "metrics": None if judged is None else judged["metrics"],
            "seconds": {step: by_step[step].duration_s for step in STEPS if step in by_step},
            "warnings": _warnings(by_step, judged),
            "hyperparams": hyperparams_of(by_step.get("train")),
            "agent": agent,
            "attempt": job.attempt,
            "problem": job.problem,
            "done_at": job.done_at,
        }
    )


def _warnings(by_step: dict[str, Row[Any]], judged: dict[str, Any] | None) -> list[str]:
    told = [
        f"{step}: {warning}"
        for step in STEPS
        if step in by_step
        for warning in json.loads(by_step[step].warnings)
    ]
    of_metrics = [judged.get("error"), *judged.get("warnings", [])] if judged else []
    return [*told, *(f"metrics: {warning}" for warning in of_metrics if warning)]


def _metrics_of(tested: Row[Any] | None) -> dict[str, Any] | None:
    if tested is None or tested.metrics is None:
        return None
    found: dict[str, Any] = json.loads(tested.metrics)
    return found


def hyperparams_of(trained: Row[Any] | None) -> Any:
    """The hyperparameters that `train` returned, as far as they left the site.

    Args:
        trained: Row of the counted train; None before there is one.

    Returns:
        Plain JSON; None without.
    """
    if trained is None or trained.inline is None:
        return None
    return json.loads(trained.inline).get("hyperparams")
