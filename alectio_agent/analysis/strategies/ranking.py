"""Best first, without sorting what nobody asks for."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.keyed import Draw
from alectio_agent.analysis.strategies.logits import Scores

GROWTH = 4
"""How many times more each further look takes, when all that was seen is used up."""


def best_first(
    scores: Scores, index: NDArray[np.int64], draw: Draw, first: int
) -> Iterator[NDArray[np.int64]]:
    """All positions by falling score, in blocks.

    Args:
        scores: Shape (n,), finite.
        index: The samples' indices, shape (n,), by which equal scores are ordered.
        draw: Orders equal scores.
        first: Size of the first block; usually all that is needed.

    Yields:
        Positions; each position once.
    """
    seen, limit = 0, max(1, first)
    while seen < len(scores):
        yield best(scores, index, draw, limit)[seen:]
        seen, limit = limit, limit * GROWTH


def best(scores: Scores, index: NDArray[np.int64], draw: Draw, limit: int) -> NDArray[np.int64]:
    """The positions of the highest scores.

    Args:
        scores: Shape (n,), finite.
        index: The samples' indices, shape (n,), by which equal scores are ordered.
        draw: Orders equal scores.
        limit: How many, at least 1.

    Returns:
        min(limit, n) positions by falling score.
    """
    if limit >= len(scores):
        chosen = np.arange(len(scores))
    else:
        lowest = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        above = np.flatnonzero(scores > lowest)
        level = np.flatnonzero(scores == lowest)
        level = smallest(draw.ties(index[level]), level, limit - len(above))
        chosen = np.concatenate([above, level])
    return chosen[np.lexsort((draw.ties(index[chosen]), -scores[chosen]))]


def smallest(
    ranks: NDArray[np.uint64], positions: NDArray[np.int64], limit: int
) -> NDArray[np.int64]:
    """The positions of the lowest ranks, in no particular order.

    Args:
        ranks: Distinct, one for each position.
        positions: Shape (n,).
        limit: How many, zero or more.

    Returns:
        min(limit, n) of the positions.
    """
    if limit >= len(positions):
        return positions
    return positions[np.argpartition(ranks, limit)[:limit]]
