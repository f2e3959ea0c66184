"""Weighted k-means that gives the same on any number of cores."""

import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController

MANY_CENTRES = 200
INITS = 3
"""Starts when there are few centres; one start for many, where they differ little and cost much."""


def spread(
    points: NDArray[np.float64], weights: NDArray[np.float64], k: int, seed: int
) -> list[int]:
    """Choose points that stand for all: the nearest unused one to each centre of k-means.

    Args:
        points: Shape (n, d), finite, n >= 1.
        weights: Shape (n,), zero or more.
        k: How many to choose, 1 to n.
        seed: For the starts, below 2**32.

    Returns:
        Positions of k different points, the earlier point where distances are equal.

    Source:
        Zhdanov (2019), Diverse mini-batch active learning.
    """
    different = min(k, len(np.unique(points, axis=0)))
    chosen: list[int] = []
    is_free = np.ones(len(points), bool)
    with _libraries().limit(limits=1):
        lengths = np.square(points).sum(axis=1)
        for centre in _centres(points, _positive(weights), different, seed):
            # The squared distance less the centre's own length, which is the same for all points.
            distances = lengths - 2 * (points @ centre)
            nearest = int(np.argmin(np.where(is_free, distances, np.inf)))
            is_free[nearest] = False
            chosen.append(nearest)
    # Fewer different points than asked for: the first that are left make up the number.
    return [*chosen, *np.flatnonzero(is_free)[: k - len(chosen)].tolist()]


def _centres(
    points: NDArray[np.float64], weights: NDArray[np.float64], k: int, seed: int
) -> NDArray[np.float64]:
    means = KMeans(
        n_clusters=k,
        n_init=INITS if k <= MANY_CENTRES else 1,
        max_iter=100,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Points that differ in the last bit only may end up in fewer clusters than asked for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres: NDArray[np.float64] = means.fit(points, sample_weight=weights).cluster_centers_
    return centres


def _positive(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights that k-means can divide by: none of them zero, the largest one."""
    largest = weights.max()
    return np.maximum(weights / largest, 1e-9) if largest > 0 else np.ones_like(weights)


@cache
def _libraries() -> ThreadpoolController:
    """The thread pools of the numeric libraries; looking for them takes longer than a k-means."""
    return ThreadpoolController()
