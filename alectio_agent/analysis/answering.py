"""Answers the worker's requests: what to label next, and how good a model is."""

from collections.abc import Callable
from typing import Any

import numpy as np

from alectio_agent.analysis.judging import answer_metrics
from alectio_agent.analysis.outputs import check_index
from alectio_agent.analysis.request import REQUEST, SelectRequest
from alectio_agent.analysis.results import read_index, read_outputs
from alectio_agent.analysis.strategies.detail import histogram, near_misses
from alectio_agent.analysis.strategies.mix import Batch, Rules, Share, choose
from alectio_agent.analysis.strategies.pool import Indices, Pool
from alectio_agent.analysis.strategies.registry import load, strategy_named
from alectio_agent.core.errors import StrategyError


class Answerer:
    """Answers requests, and gets ready for those that will follow."""

    def __init__(self) -> None:
        """Start without anything to get ready for."""
        self._soon: list[str] = []

    def answer(self, line: str | bytes) -> dict[str, Any]:
        """Answer one request.

        Args:
            line: One JSON object.

        Returns:
            What was asked for, as plain JSON.

        Raises:
            StrategyError: It cannot be answered; the message says why.
            ValueError: No request of this worker.
        """
        request = REQUEST.validate_json(line)
        self._soon = request.soon
        return answer_select(request) if request.op == "select" else answer_metrics(request)

    def get_ready(self) -> None:
        """Load what the strategies need that the last request announced."""
        for name in self._soon:
            load(name)


def answer_select(request: SelectRequest) -> dict[str, Any]:
    """Choose a batch.

    Args:
        request: What to choose from, and how.

    Returns:
        `indices` (increasing), their `scores` and `reasons`; `pool` (how many there were to choose
        from), `equal_rows` (how many of them were passed over). Then what is merely told:
        `between` (the two likeliest columns of each); and of the candidates of the first part that
        went by a score `predicted` (how many have each class as the likeliest), `histogram` and
        `near_misses`. What could not be worked out of these is None, and `untold` says why.

    Raises:
        StrategyError: It cannot be done; the message says why.
    """
    pool = _pool(request)
    shares = [Share(part.name, part.share) for part in request.strategy]
    rules = Rules(
        request.seed,
        request.loop,
        request.tie_break,
        has_dedup=request.dedup == "exact",
        subsample=request.subsample,
    )
    batch = choose(pool, shares, request.batch, rules)
    return {
        "indices": [choice.index for choice in batch.choices],
        "scores": [choice.score for choice in batch.choices],
        "reasons": [choice.reason for choice in batch.choices],
        "pool": len(pool),
        "equal_rows": batch.equal_rows,
        **_told(batch),
    }


def _told(batch: Batch) -> dict[str, Any]:
    """What is told about a batch: whatever fails here, the batch is chosen and stands."""
    told: dict[str, Any] = {}
    failed = []
    for name, tell in _TELLERS.items():
        try:
            told[name] = tell(batch)
        except Exception as error:  # noqa: BLE001 - what is merely told must not cost a selection
            told[name] = None
            failed.append(f"{name}: {type(error).__name__}: {error}")
    return {**told, "untold": "; ".join(failed)} if failed else told


def _predicted(batch: Batch) -> list[int] | None:
    return None if batch.ranked is None else batch.ranked.pool.predicted()


def _histogram(batch: Batch) -> dict[str, Any] | None:
    # `asdict` would copy every number: half the time of choosing from a small pool.
    return None if batch.ranked is None else vars(histogram(batch.ranked))


def _near_misses(batch: Batch) -> list[dict[str, Any]]:
    if batch.ranked is None:
        return []
    chosen = np.array([choice.index for choice in batch.choices], np.int64)
    return [vars(missed) for missed in near_misses(batch.ranked, chosen)]


_TELLERS: dict[str, Callable[[Batch], Any]] = {
    "between": Batch.between,
    "predicted": _predicted,
    "histogram": _histogram,
    "near_misses": _near_misses,
}
"""Chance alone has no scores to tell of."""


def _pool(request: SelectRequest) -> Pool:
    """What the request lets be chosen from: the rows of the result, less what is labelled."""
    if request.result is None:
        pool = Pool(_listed(request))
    elif any(strategy_named(part.name).measure for part in request.strategy):
        pool = Pool(*read_outputs(request.result.files(), request.output, request.classes))
    else:
        # Chance looks at no rows, so that they may be of any form: boxes, nested values.
        pool = Pool(read_index(request.result.files()))
    keep = np.ones(len(pool), bool)
    if request.labeled:
        keep &= ~np.isin(pool.index, request.labeled)
    if request.result is not None and request.unlabeled is not None:
        keep &= np.isin(pool.index, request.unlabeled)
    return pool if keep.all() else pool.narrowed(np.flatnonzero(keep))


def _listed(request: SelectRequest) -> Indices:
    if request.unlabeled is not None:
        index = np.array(request.unlabeled, np.int64)
        check_index(index)
        return index
    if request.pool is None:
        raise StrategyError("found no pool; expected a result, `unlabeled`, or the pool's size")
    return np.arange(request.pool)
