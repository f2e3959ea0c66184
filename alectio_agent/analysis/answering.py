"""Answers the worker's requests: what to label next, and how good a model is."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from alectio_agent.analysis.files import ResultFiles
from alectio_agent.analysis.outputs import check_index
from alectio_agent.analysis.results import read_index, read_outputs, read_test
from alectio_agent.analysis.strategies.detail import histogram, near_misses
from alectio_agent.analysis.strategies.mix import Batch, Rules, Share, choose
from alectio_agent.analysis.strategies.pool import Indices, Pool
from alectio_agent.analysis.strategies.registry import strategy_named
from alectio_agent.core.errors import StrategyError


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True)


class InlineRows(_Request):
    """A small result: `[index, value]` each."""

    rows: list[list[Any]]


class ResultSource(_Request):
    """Where a step's result lies: in files, or in the request itself."""

    media_type: str = ""
    parts: list[Path] = []
    inline: InlineRows | None = None

    def files(self) -> ResultFiles:
        """The same for the reader."""
        rows = None if self.inline is None else self.inline.rows
        return ResultFiles(self.media_type, tuple(self.parts), rows)


class StrategyShare(_Request):
    """One part of the batch."""

    name: str
    share: float = Field(default=1.0, gt=0, le=1)


class SelectRequest(_Request):
    """Choose a batch.

    Attributes:
        loop: The loop that the batch is chosen for.
        strategy: Parts whose shares sum to one.
        result: Of `infer`; None before there is a model.
        unlabeled: What there is to choose from; None leaves it to `pool` and `labeled`.
        pool: Size of the pool, when `unlabeled` is not given.
        labeled: Samples that must not be chosen.
    """

    op: Literal["select"]
    seed: int = Field(ge=0)
    loop: int = Field(ge=0)
    batch: int = Field(ge=1)
    strategy: list[StrategyShare] = Field(min_length=1)
    tie_break: Literal["seeded", "index"] = "seeded"
    dedup: Literal["exact"] | None = "exact"
    subsample: int | None = Field(default=None, ge=1)
    output: str | None = None
    classes: int | None = None
    result: ResultSource | None = None
    unlabeled: list[int] | None = None
    pool: int | None = Field(default=None, ge=0)
    labeled: list[int] | None = None


class MetricsRequest(_Request):
    """Judge a model.

    Attributes:
        result: Of `test`.
    """

    op: Literal["metrics"]
    task: str = "classification"
    classes: int | None = Field(default=None, ge=1)
    class_names: list[str] | None = None
    result: ResultSource


_REQUEST: TypeAdapter[SelectRequest | MetricsRequest] = TypeAdapter(
    Annotated[SelectRequest | MetricsRequest, Field(discriminator="op")]
)


def answer(line: str | bytes) -> dict[str, Any]:
    """Answer one request.

    Args:
        line: One JSON object.

    Returns:
        What was asked for, as plain JSON.

    Raises:
        StrategyError: It cannot be answered; the message says why.
        ValueError: No request of this worker.
    """
    request = _REQUEST.validate_json(line)
    return answer_select(request) if request.op == "select" else answer_metrics(request)


def answer_select(request: SelectRequest) -> dict[str, Any]:
    """Choose a batch.

    Args:
        request: What to choose from, and how.

    Returns:
        `indices` (increasing), their `scores`, `reasons` and `between` (the two likeliest columns);
        `pool` (how many there were to choose from), `equal_rows` (how many of them were passed
        over); and of the candidates of the first part that went by a score `predicted` (how many
        have each class as the likeliest), `histogram` and `near_misses`.

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
        "between": [choice.between for choice in batch.choices],
        "pool": len(pool),
        "equal_rows": batch.equal_rows,
        **_told_scores(batch),
    }


def answer_metrics(request: MetricsRequest) -> dict[str, Any]:
    """Judge a model.

    Args:
        request: What it predicted, and the labels.

    Returns:
        `metrics`, `per_class`, `confusion`; empty for tasks that have no metrics here.

    Raises:
        StrategyError: It cannot be done; the message says why.
    """
    if request.task != "classification" or request.classes is None:
        return {"metrics": {}, "per_class": {}, "confusion": []}
    # Imported here: scikit-learn takes a second, and an experiment's first batch needs none of it.
    from alectio_agent.analysis.metrics.classification import classification_metrics, to_columns

    index, predictions, labels = read_test(request.result.files())
    declared = request.classes, request.class_names or []
    return asdict(
        classification_metrics(
            to_columns(predictions, index, "predictions", *declared),
            to_columns(labels, index, "labels", *declared),
            request.classes,
        )
    )


def _told_scores(batch: Batch) -> dict[str, Any]:
    """What the candidates looked like, and what just missed; chance has no scores to tell of."""
    if batch.ranked is None:
        return {"predicted": None, "histogram": None, "near_misses": []}
    chosen = np.array([choice.index for choice in batch.choices], np.int64)
    return {
        "predicted": batch.ranked.pool.predicted(),
        "histogram": asdict(histogram(batch.ranked)),
        "near_misses": [asdict(missed) for missed in near_misses(batch.ranked, chosen)],
    }


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
