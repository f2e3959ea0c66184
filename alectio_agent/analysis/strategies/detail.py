"""What a selection tells about itself: how scores lie, where the cut was, what just missed it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.keyed import Draw
from alectio_agent.analysis.strategies.logits import Scores
from alectio_agent.analysis.strategies.pool import Between, Indices, Pool
from alectio_agent.analysis.strategies.ranking import best

BINS = 40
NEAR_MISSES = 10
BINNED_AT_ONCE = 2**16
"""Scores that are sorted into bins at a time: their places stay in the second-level cache."""


@dataclass(frozen=True)
class Ranked:
    """The first part of a batch that went by a score.

    Attributes:
        strategy: Its name.
        measure: Name of the score; that of `diverse_margin` is the margin.
        pool: Its candidates.
        picked: Positions in the pool that it chose.
        draw: How it ordered equal scores.
    """

    strategy: str
    measure: str
    pool: Pool
    picked: Indices
    draw: Draw


@dataclass(frozen=True)
class Histogram:
    """How the scores of a pool lie.

    Attributes:
        strategy: Whose.
        measure: Name of the score.
        edges: Rising; one more than there are bins. A score on an edge is in the bin above it, the
            highest in the last.
        counts: Candidates in each bin.
        chosen: Those of them that the strategy picked.
        cut: The lowest score that it picked; None when its share came to no sample.
    """

    strategy: str
    measure: str
    edges: list[float]
    counts: list[int]
    chosen: list[int]
    cut: float | None


@dataclass(frozen=True)
class NearMiss:
    """A sample that scored high and was not chosen.

    Attributes:
        index: Of the sample.
        score: Its score.
        between: Its two likeliest columns.
    """

    index: int
    score: float
    between: Between | None


def histogram(ranked: Ranked) -> Histogram:
    """Sort the scores of a pool into bins of one width.

    Args:
        ranked: With at least one candidate.

    Returns:
        40 bins from the lowest score to the highest; one bin when all are equal.
    """
    scores = ranked.pool.scores(ranked.measure)
    picked = scores[ranked.picked]
    low, high = float(scores.min()), float(scores.max())
    if low == high:
        # A bin needs a width: from zero, where every measure begins.
        edges, counts, chosen = [0.0, high or 1.0], [len(scores)], [len(picked)]
    else:
        edges = np.linspace(low, high, BINS + 1).tolist()
        counts = _binned(scores, low, high).tolist()
        chosen = _binned(picked, low, high).tolist()
    cut = float(picked.min()) if len(picked) else None
    return Histogram(ranked.strategy, ranked.measure, edges, counts, chosen, cut)


def near_misses(ranked: Ranked, chosen: Indices) -> list[NearMiss]:
    """The best of those that were not chosen.

    Args:
        ranked: Whose scores count.
        chosen: Sample indices of the whole batch, whichever part chose them.

    Returns:
        At most 10, best first.
    """
    pool = ranked.pool
    scores = pool.scores(ranked.measure)
    first = best(scores, pool.index, ranked.draw, NEAR_MISSES + len(chosen))
    missed = first[~np.isin(pool.index[first], chosen)][:NEAR_MISSES]
    told = zip(
        pool.index[missed].tolist(), scores[missed].tolist(), pool.between(missed), strict=True
    )
    return [NearMiss(*entry) for entry in told]


def _binned(scores: Scores, low: float, high: float) -> NDArray[np.int64]:
    # As float64: scores of sure models lie so near together that 40 / (high - low) is above what
    # float32 can hold.
    counts, per_score = np.zeros(BINS, np.int64), BINS / (high - low)
    for start in range(0, len(scores), BINNED_AT_ONCE):
        places = np.subtract(scores[start : start + BINNED_AT_ONCE], low, dtype=np.float64)
        places *= per_score
        counts += np.bincount(np.minimum(places.astype(np.int64), BINS - 1), minlength=BINS)
    return counts
