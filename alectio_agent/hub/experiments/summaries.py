"""One line for each experiment: a few queries for all of them, and none for those that rest."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, RowMapping, bindparam, func, select

from alectio_agent.core.clock import coarse
from alectio_agent.hub.experiments.absence import Attendance
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.labelling import awaited_labels
from alectio_agent.hub.experiments.records import Experiment, experiment_record
from alectio_agent.hub.store.tables import agents, attempts, experiments, jobs, results, selections
from alectio_agent.wire.experiment import METRIC_NAMES, ExperimentSettings

USUAL_METRIC = "macro_f1"
MOST_IDS = 500
"""So many experiments are named in one statement."""

_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)
_NEWEST = (
    select(
        jobs.c.experiment_id,
        jobs.c.loop,
        jobs.c.state,
        jobs.c.labelled,
        agents.c.name.label("agent"),
        func.max(jobs.c.available_at, func.coalesce(jobs.c.done_at, "")).label("at"),
    )
    .join(agents, agents.c.agent_id == jobs.c.agent_id, isouter=True)
    .where(jobs.c.experiment_id.in_(_WANTED), jobs.c.state != "rewound")
    .order_by(jobs.c.loop)
)
_TRIED = (
    select(
        jobs.c.experiment_id,
        func.max(
            func.coalesce(attempts.c.ended_at, attempts.c.started_at, attempts.c.issued_at)
        ).label("at"),
    )
    .join(jobs, jobs.c.job_id == attempts.c.job_id)
    .where(jobs.c.experiment_id.in_(_WANTED))
    .group_by(jobs.c.experiment_id)
)
_CHOSEN = (
    select(selections.c.experiment_id, func.max(selections.c.made_at).label("at"))
    .where(selections.c.experiment_id.in_(_WANTED))
    .group_by(selections.c.experiment_id)
)
# The database takes the few numbers out: a confusion matrix of many classes beside them is long.
_JUDGED = (
    select(
        jobs.c.experiment_id,
        func.json_extract(results.c.metrics, "$.metrics").label("metrics"),
        results.c.received_at.label("at"),
    )
    .join(jobs, jobs.c.job_id == results.c.job_id)
    .where(
        jobs.c.experiment_id.in_(_WANTED),
        jobs.c.state != "rewound",
        results.c.step == "test",
        results.c.is_counted,
        results.c.metrics.is_not(None),
    )
    .order_by(jobs.c.loop)
)


@dataclass(frozen=True)
class Summary:
    """An experiment in one line.

    Attributes:
        waits_for: Which labels or which agent it waits for; empty while it can go on.
        loop: The newest loop; None before there is one.
        labels: Labelled samples of the newest loop.
        pool: None until it is known.
        metric: Name of its main metric.
        points: That metric of each loop that was judged, oldest first.
        agent: Who had the newest loop last; None before anyone had.
        updated_at: When something happened last.
        is_labelling: People are asked for labels of the newest loop.
    """

    name: str
    state: str
    reason: str
    waits_for: str
    loop: int | None
    loops: int
    labels: int
    pool: int | None
    metric: str
    points: tuple[float, ...]
    agent: str | None
    updated_at: str
    is_labelling: bool = False

    @property
    def shown_state(self) -> str:
        """The state for people: `labelling` while it waits for them to label."""
        return "labelling" if self.is_labelling and self.state == "running" else self.state


@dataclass(frozen=True)
class _Kept:
    """What the tables say of one version of an experiment."""

    experiment: Experiment
    loop: int | None
    labels: int
    metric: str
    points: tuple[float, ...]
    agent: str | None
    updated_at: str
    is_labelling: bool


class Summaries:
    """Makes summaries; what the tables said is kept as long as an experiment does not change."""

    def __init__(self, context: Context) -> None:
        """Start without any.

        Args:
            context: Knows who called.
        """
        self._context = context
        self._lock = Lock()
        self._kept: dict[str, _Kept] = {}

    def read(self, tx: Connection) -> list[Summary]:
        """All experiments, the newest first.

        Args:
            tx: Any transaction.
        """
        rows = tx.execute(select(experiments).order_by(experiments.c.position.desc())).mappings()
        found = list(rows)
        with self._lock:
            kept = dict(self._kept)
        stale = [row for row in found if not _is_current(kept.get(row["experiment_id"]), row)]
        for at in range(0, len(stale), MOST_IDS):
            records = [experiment_record(row) for row in stale[at : at + MOST_IDS]]
            kept |= _read(tx, {record.experiment_id: record for record in records})
        with self._lock:
            self._kept = kept
        present = Attendance(tx, self._context)
        return [
            _summary(
                known,
                awaited_labels(tx, known.experiment) or present.awaited_by(known.experiment),
            )
            for known in (kept[row["experiment_id"]] for row in found)
        ]


def main_metric(settings: ExperimentSettings, found: Mapping[str, Any]) -> str:
    """The metric by which an experiment is judged at a glance.

    Args:
        settings: Its target's metric comes first.
        found: Metrics that there are, by name.
    """
    target = settings.stop.target
    wanted = (*([target.metric] if target else []), USUAL_METRIC, *METRIC_NAMES, *found)
    return next((name for name in wanted if found.get(name) is not None), wanted[0])


def _is_current(kept: _Kept | None, row: RowMapping) -> bool:
    return kept is not None and kept.experiment.version == row["version"]


def _read(tx: Connection, records: dict[str, Experiment]) -> dict[str, _Kept]:
    wanted = {"wanted": list(records)}
    newest = {row.experiment_id: row for row in tx.execute(_NEWEST, wanted)}  # the last one stays
    moments = defaultdict[str, list[str]](list)
    dated: list[Row[Any]] = [*tx.execute(_TRIED, wanted), *tx.execute(_CHOSEN, wanted)]
    for row in dated:
        moments[row.experiment_id].append(row.at)
    judged = defaultdict[str, list[dict[str, Any]]](list)
    for scored in tx.execute(_JUDGED, wanted):
        judged[scored.experiment_id].append(json.loads(scored.metrics))
        moments[scored.experiment_id].append(scored.at)
    return {
        of: _keep(record, newest.get(of), judged[of], moments[of]) for of, record in records.items()
    }


def _keep(
    record: Experiment, newest: Any, judged: list[dict[str, Any]], moments: list[str]
) -> _Kept:
    metric = main_metric(record.settings, judged[-1] if judged else {})
    points = tuple(float(row[metric]) for row in judged if row.get(metric) is not None)
    moments = [*moments, record.created_at, record.ended_at or "", newest.at if newest else ""]
    return _Kept(
        experiment=record,
        loop=newest.loop if newest else None,
        labels=newest.labelled if newest else 0,
        metric=metric,
        points=points,
        agent=newest.agent if newest else None,
        updated_at=coarse(max(moments)),
        is_labelling=bool(newest and newest.state == "labelling"),
    )


def _summary(kept: _Kept, waits_for: str) -> Summary:
    record = kept.experiment
    return Summary(
        name=record.name,
        state=record.state,
        reason=record.reason,
        waits_for=waits_for,
        loop=kept.loop,
        loops=record.settings.loops,
        labels=kept.labels,
        pool=record.pool_size,
        metric=kept.metric,
        points=kept.points,
        agent=kept.agent,
        updated_at=kept.updated_at,
        is_labelling=kept.is_labelling,
    )
