"""Uncertainty of each row of a matrix of logits; larger is to be labelled first.

All work on the exponentials of the distances to the row's largest logit, so that nothing can
overflow. The largest class itself is left out of the sum: with it, 1 + 1e-9 would be 1 in float32
and rows of confident models would all tie.

With two classes, least confidence, margin, ratio and entropy give the same order.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from alectio_agent.analysis.strategies.logits import NARROW, Logits, Scores
from alectio_agent.core.errors import ScoresError

NEGLIGIBLE = np.float32(-200)
"""A distance whose exponential is 0 in float32; keeps 0 times infinity out of the entropy."""


def least_confidence(logits: Logits) -> Scores:
    """One minus the probability of the likeliest class.

    Args:
        logits: Raw scores, shape (n, c), c >= 2, finite.

    Returns:
        Scores in [0, 1 - 1/c], shape (n,).
    """
    rest = _rest(logits, *_top_two(logits))[0]
    scores: Scores = rest / (1 + rest)
    return scores


def margin(logits: Logits) -> Scores:
    """One minus the gap between the two likeliest classes' probabilities.

    Args:
        logits: Raw scores, shape (n, c), c >= 2, finite.

    Returns:
        Scores in [0, 1], shape (n,).

    Source:
        Scheffer, Decomain and Wrobel (2001), Active hidden Markov models.
    """
    first, second = _top_two(logits)
    rest = _rest(logits, first, second)[0]
    # 1 - (p1 - p2) with p1 = 1 / (1 + rest) and p2 = e2 / (1 + rest).
    scores: Scores = (rest + np.exp(second - first)) / (1 + rest)
    return scores


def ratio(logits: Logits) -> Scores:
    """Probability of the second likeliest class over that of the likeliest.

    Args:
        logits: Raw scores, shape (n, c), c >= 2, finite.

    Returns:
        Scores in [0, 1], shape (n,).
    """
    first, second = _top_two(logits)
    scores: Scores = np.exp(second - first)
    return scores


def entropy(logits: Logits) -> Scores:
    """Shannon entropy of the class probabilities, in nats.

    Args:
        logits: Raw scores, shape (n, c), c >= 2, finite.

    Returns:
        Scores in [0, log c], shape (n,).

    Source:
        Shannon (1948), A mathematical theory of communication.
    """
    first, second = _top_two(logits)
    rest, exponentials, distances = _rest(logits, first, second)
    # log s - (sum of e times u) / s; the likeliest class adds nothing to the sum, its u is 0.
    np.maximum(distances, NEGLIGIBLE, out=distances)
    distances *= exponentials
    scores: Scores = np.log1p(rest) - _sum(distances) / (1 + rest)
    return scores


def probabilities(logits: Logits) -> Logits:
    """Softmax of every row.

    Args:
        logits: Raw scores, shape (n, c), finite.

    Returns:
        Rows that sum to one, shape (n, c).
    """
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Logits = exponentials / _sum(exponentials)[:, None]
    return shares


MEASURES: Mapping[str, Callable[[Logits], Scores]] = MappingProxyType(
    {
        "least_confidence": least_confidence,
        "margin": margin,
        "ratio": ratio,
        "entropy": entropy,
    }
)


def _rest(logits: Logits, first: Scores, second: Scores) -> tuple[Scores, Logits, Logits]:
    """Sum of exponentials of all classes but the likeliest, the exponentials, the distances."""
    distances = logits - first[:, None]
    exponentials = np.exp(distances)
    exponentials *= distances < 0
    rest = _sum(exponentials)
    tied = np.flatnonzero(first == second)
    if len(tied):
        # Several classes share the first place: all but one of them belong to the rest.
        rest[tied] += (distances[tied] == 0).sum(axis=1, dtype=np.float32) - 1
    return rest, exponentials, distances


def _top_two(logits: Logits) -> tuple[Scores, Scores]:
    """The largest and the second largest logit of each row."""
    if logits.shape[1] < 2:
        raise ScoresError("found one class; expected at least two (one column is the pair 0, z)")
    return _knock_out(logits) if logits.shape[1] < NARROW else _strike_out(logits)


def _strike_out(logits: Logits) -> tuple[Scores, Scores]:
    """For long rows: find the largest, strike it out, find the largest again."""
    rows, places = np.arange(len(logits)), logits.argmax(axis=1)
    others = logits.copy()
    others[rows, places] = -np.inf
    return logits[rows, places], others.max(axis=1)


def _knock_out(logits: Logits) -> tuple[Scores, Scores]:
    """For short rows, whose columns are long: a knock-out tournament between the columns."""
    high, low = logits, np.full_like(logits, -np.inf)
    while high.shape[1] > 1:
        half, odd = divmod(high.shape[1], 2)
        left, right = high[:, :half], high[:, half : 2 * half]
        losers, winners = np.minimum(left, right), np.maximum(left, right)
        np.maximum(losers, low[:, :half], out=losers)
        np.maximum(losers, low[:, half : 2 * half], out=losers)
        if odd:
            late = np.maximum(np.minimum(winners[:, 0], high[:, -1]), low[:, -1])
            losers[:, 0] = np.maximum(losers[:, 0], late)
            winners[:, 0] = np.maximum(winners[:, 0], high[:, -1])
        high, low = winners, losers
    return high[:, 0], low[:, 0]


def _sum(values: Logits) -> Scores:
    """Sum of each row.

    Short rows are added column to column in a fixed order: numpy's own order depends on the number
    of rows, so that one row could get another score when the rows around it change.
    """
    if values.shape[1] >= NARROW:
        total: Scores = values.sum(axis=1)
        return total
    while values.shape[1] > 1:
        half, odd = divmod(values.shape[1], 2)
        folded = values[:, :half] + values[:, half : 2 * half]
        if odd:
            folded[:, 0] += values[:, -1]
        values = folded
    return values[:, 0]
