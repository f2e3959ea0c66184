"""Best first, without sorting what nobody asks for."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.keyed import Draw
from alectio_agent.analysis.strategies.logits import Scores

GROWTH = 4
"""How many times more each further look takes, when all that was seen is used up."""

SAMPLED = 2**14
"""So many scores, evenly spaced, tell about where the best of all begin."""


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
    chosen = _hopeful(scores, limit)
    if limit < len(chosen):
        hoped = scores[chosen]
        lowest = np.partition(hoped, len(hoped) - limit)[len(hoped) - limit]
        above = chosen[hoped > lowest]
        level = chosen[hoped == lowest]
        level = smallest(draw.ties(index[level]), level, limit - len(above))
        chosen = np.concatenate([above, level])
    return chosen[np.lexsort((draw.ties(index[chosen]), -scores[chosen]))]


def _hopeful(scores: Scores, limit: int) -> NDArray[np.int64]:
    """Positions, increasing, that the highest scores are surely among; all when in doubt.

    To part a million scores takes as long as a third of scoring them. Some of them tell a score
    that about twice as many reach as are wanted; if enough do, the rest is out of the race.
    """
    step = len(scores) // SAMPLED
    wanted = 2 * limit // max(1, step) + 16
    if step > 1 and wanted < SAMPLED // 4:
        some = scores[::step]
        hopeful = np.flatnonzero(scores >= np.partition(some, -wanted)[-wanted])
        if len(hopeful) >= limit:
            return hopeful
    return np.arange(len(scores))


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
