"""Makes the selections and metrics that are owed, off everybody else's path."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event
from typing import Any

from sqlalchemy import Connection, bindparam, select

from alectio_agent.hub.experiments.analysis_process import (
    Analysis,
    AnalysisEndedError,
    AnalysisError,
)
from alectio_agent.hub.experiments.context import Context
from alectio_agent.hub.experiments.parts import result_files, sweep
from alectio_agent.hub.experiments.platform import Platform
from alectio_agent.hub.experiments.progress import advance
from alectio_agent.hub.experiments.records import change_experiment, experiment_of, job_of
from alectio_agent.hub.experiments.scores import next_owing, store_metrics
from alectio_agent.hub.experiments.selections import (
    OwedSelection,
    insert_selection,
    next_owed,
    refuse_selection,
)
from alectio_agent.hub.store.prepared import PreparedQuery
from alectio_agent.hub.store.store import Store
from alectio_agent.hub.store.tables import results

log = logging.getLogger(__name__)

IDLE_S = 60.0
AGAIN_S = 1.0
_TESTED = PreparedQuery(
    select(results.c.media_type, results.c.parts, results.c.inline).where(
        results.c.lease == bindparam("of"), results.c.step == "test"
    )
)

Write = Callable[[Callable[[Connection], bool]], "Future[bool]"]
OwedMetrics = tuple[str, str, dict[str, Any]]
"""Lease and job of a test, and the request for the analysis process."""
MOST_DEATHS = 3
"""A request that ended the analysis process so often will do it again."""


class SelectionWorker:
    """A step object: one turn makes one selection, or the metrics of one test."""

    def __init__(
        self, store: Store, platform: Platform, analysis: Analysis, write: Write | None = None
    ) -> None:
        """Prepare; the first turn finds what an earlier process left owed.

        Args:
            store: The hub's.
            platform: Whose selections.
            analysis: Answers requests.
            write: Writes selections; as the store does, if there is nothing else to do with it.
        """
        self._store = store
        self._write = write or store.write
        self._context: Context = platform.context
        self._analysis = analysis
        self._deaths = 0
        self._is_swept = False

    @property
    def wake(self) -> Event:
        """Set when something is owed."""
        return self._context.due.selections

    def step(self) -> float:
        """Make the selection that is owed first; without one, the metrics.

        Returns:
            Seconds to wait before the next turn.
        """
        if not self._is_swept:
            self._store.write(partial(sweep, context=self._context)).result()
            self._is_swept = True
        found = self._store.read(self._next).result()
        if isinstance(found, OwedSelection):
            return self._select(found)
        return IDLE_S if found is None else self._judge(*found)

    def _next(self, tx: Connection) -> OwedSelection | OwedMetrics | None:
        """What is owed first, in one look: the next job waits for a selection."""
        return next_owed(tx, context=self._context) or self._next_metrics(tx)

    def _select(self, owed: OwedSelection) -> float:
        found, problem = owed.copied, ""
        if found is None and not owed.request["batch"]:
            problem = "no sample is left to choose: all that are in no loop are excluded"
        elif found is None:
            found, problem = self._ask(owed.request)
        if found is not None:
            if found.get("untold"):
                told = "selection for loop %d of experiment %s: made, but not told: %s"
                log.warning(told, owed.loop, owed.experiment_id, found["untold"])
            work = partial(insert_selection, context=self._context, owed=owed, found=found)
            self._write(work).result()
            return 0.0
        if not problem:
            return AGAIN_S
        refuse = partial(refuse_selection, context=self._context, owed=owed, problem=problem)
        self._store.write(refuse).result()
        return 0.0

    def _judge(self, lease: str, job_id: str, request: dict[str, Any]) -> float:
        found, problem = self._ask(request)
        if found is None and not problem:
            return AGAIN_S
        if found is None:
            found = {"metrics": {}, "per_class": {}, "confusion": [], "error": problem}
        self._store.write(lambda tx: self._keep_metrics(tx, lease, job_id, found)).result()
        return 0.0

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
        """The answer, or why there is none; neither when the process died and may live again."""
        try:
            found = self._analysis.ask(request)
        except AnalysisError as error:
            self._deaths = 0
            return None, error.message
        except AnalysisEndedError as error:
            self._deaths += 1
            log.warning("%s; starting another", error.message)
            if self._deaths < MOST_DEATHS:
                return None, ""
            self._deaths = 0
            return None, f"{error.message}, {MOST_DEATHS} times"
        self._deaths = 0
        return found, ""

    def _next_metrics(self, tx: Connection) -> OwedMetrics | None:
        owing = next_owing(tx)
        if owing is None:
            return None
        lease, job_id = owing
        settings = experiment_of(tx, job_of(tx, job_id).experiment_id).settings
        row = _TESTED.row(tx, of=lease)
        assert row is not None, lease  # noqa: S101 - it was just found
        request = {
            "op": "metrics",
            "soon": settings.strategy_names,
            "task": settings.task,
            "classes": settings.class_count,
            "class_names": settings.class_names,
            "output": settings.output_kind,
            "chooses_by_scores": settings.chooses_by_scores,
            "result": result_files(self._context, job_id, row),
        }
        return lease, job_id, request

    def _keep_metrics(self, tx: Connection, lease: str, job_id: str, found: dict[str, Any]) -> None:
        if store_metrics(tx, lease, found):
            experiment_id = job_of(tx, job_id).experiment_id
            change_experiment(tx, experiment_id)
            advance(tx, self._context, experiment_id)
