"""How a strategy picks samples: by chance, by score, or by score and spread."""

from collections.abc import Callable

import numpy as np

from alectio_agent.analysis.keyed import Draw
from alectio_agent.analysis.strategies.pool import Indices, Pool, Taken
from alectio_agent.analysis.strategies.ranking import best_first, smallest

Pick = Callable[[Pool, int, Draw, Taken], Indices]
"""Chooses n positions in a pool of which at least n are not taken, the first choice first."""

CANDIDATES_PER_PICK = 10

MOST_CENTRES = 2000
"""The cost of k-means grows with the square of the batch: some 5 s at this size, on one core."""


def by_chance(pool: Pool, n: int, draw: Draw, taken: Taken) -> Indices:
    """Uniform without replacement; looks at no score, so that it picks the same whatever they say.

    Args:
        pool: Where to choose.
        n: How many, at most as many as are not taken.
        draw: The chance.
        taken: Samples that are chosen already.

    Returns:
        n positions in the pool.
    """
    ranks = draw.picks(pool.index)
    found = smallest(ranks, np.arange(len(pool)), n + len(taken.index))
    found = found[np.argsort(ranks[found])]
    return np.array([at for at in found if int(pool.index[at]) not in taken.index][:n], np.int64)


def by_score(measure: str) -> Pick:
    """The highest scores.

    Args:
        measure: Name of a measure of `uncertainty`.

    Returns:
        A pick.
    """

    def pick(pool: Pool, n: int, draw: Draw, taken: Taken) -> Indices:
        return _best_distinct(pool, measure, draw, taken, wanted=n, needed=n)

    return pick


def by_spread(pool: Pool, n: int, draw: Draw, taken: Taken) -> Indices:
    """Uncertain samples that differ: the top by margin, clustered, one from each cluster.

    Args:
        pool: Where to choose.
        n: How many, at most as many as are not taken; above 2000 it is by margin alone.
        draw: The chance.
        taken: Samples that are chosen already.

    Returns:
        n positions in the pool.

    Source:
        Zhdanov (2019), Diverse mini-batch active learning.
    """
    wanted = n if n > MOST_CENTRES else CANDIDATES_PER_PICK * n
    candidates = _best_distinct(pool, "margin", draw, taken, wanted=wanted, needed=n)
    if len(candidates) <= n:
        return candidates
    # Imported here: scikit-learn takes a second, and an experiment's first batch needs no clusters.
    from alectio_agent.analysis.strategies.clustering import spread

    weights = pool.scores("margin")[candidates].astype(np.float64)
    return candidates[spread(pool.features(candidates), weights, n, draw.cluster_seed())]


def _best_distinct(
    pool: Pool, measure: str, draw: Draw, taken: Taken, *, wanted: int, needed: int
) -> Indices:
    """Up to `wanted` positions with different rows, made up to `needed` with equal ones."""
    trial = taken.fork()
    found = np.empty(0, np.int64)
    equal = np.empty(0, np.int64)
    for block in best_first(pool.scores(measure), pool.index, draw, wanted + len(taken.index)):
        is_taken = trial.take(pool, block)
        found = np.concatenate([found, block[is_taken]])
        equal = np.concatenate([equal, block[~is_taken]])
        if len(found) >= wanted:
            break
    if len(found) >= needed:
        return found[:wanted]
    spare = equal[~np.isin(pool.index[equal], list(taken.index))]
    return np.concatenate([found, spare[: needed - len(found)]])
