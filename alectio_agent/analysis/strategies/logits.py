"""Turns outputs of every kind into logits, chunk by chunk, in float32."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.outputs import Array, Kind, Outputs, name_some
from alectio_agent.core.errors import ScoresError

Logits = NDArray[np.float32]
Scores = NDArray[np.float32]

CHUNK_VALUES = 2**16
"""256 KiB of float32: a chunk and its temporaries stay in the second-level cache."""

NARROW = 64
"""Below this width, columns lie together in memory, so that each operation runs over long rows."""

SUM_TOLERANCE = 0.02
"""How far probabilities may be from a sum of one: 1000 classes in float16 are off by 0.01."""


def score_rows(
    outputs: Outputs, index: NDArray[np.int64], measure: Callable[[Logits], Scores]
) -> Scores:
    """Score every row.

    Args:
        outputs: Scores of the pool, of any kind.
        index: The rows' sample indices, for messages.
        measure: Turns logits, shape (m, c), into scores, shape (m,).

    Returns:
        Scores, larger is to be labelled first, shape (n,).

    Raises:
        ScoresError: A row is not finite, or does not hold what its kind promises.
    """
    scores = np.empty(len(outputs), np.float32)
    for start, chunk in sound_chunks(outputs, index):
        with np.errstate(over="ignore"):  # a distance of minus infinity has the exponential 0
            scores[start : start + len(chunk)] = measure(to_logits(chunk, outputs.kind))
    return scores


def sound_chunks(outputs: Outputs, index: NDArray[np.int64]) -> Iterator[tuple[int, Array]]:
    """All rows, a chunk at a time.

    Args:
        outputs: Scores of any kind.
        index: The rows' sample indices, for messages.

    Yields:
        The position of a chunk's first row, and its rows.

    Raises:
        ScoresError: A row is not finite, or does not hold what its kind promises.
    """
    for start, chunk in _chunks(outputs):
        if not _is_clean(chunk, outputs.kind):
            raise ScoresError(_describe_faults(outputs, index))
        yield start, chunk


def to_logits(rows: Array, kind: Kind) -> Logits:
    """Turn clean rows into logits.

    Args:
        rows: Shape (m, c), c >= 1, finite.
        kind: What the rows hold.

    Returns:
        Logits, shape (m, max(c, 2)), perhaps the rows themselves. One column is the pair (0, z).
        Two forms of the same row differ by a constant at most, which a softmax does not see.
    """
    order: Literal["F", "C"] = "F" if rows.shape[1] < NARROW else "C"
    if rows.dtype == np.float32 and kind == "logits":
        logits = np.asarray(rows, order=order)
        return logits if logits.shape[1] > 1 else _with_zero(logits)
    values = np.array(rows, dtype=np.float64, order=order)
    if kind == "logits":
        values = values if values.shape[1] > 1 else _with_zero(values)
    elif kind == "probabilities" and values.shape[1] > 1:
        values = np.log(np.maximum(values, np.finfo(np.float64).tiny))
    else:
        values = _log_odds(values)
        values = values if values.shape[1] > 1 else _with_zero(values)
    # Shifted before the cast: float64 may hold what float32 cannot, and a shift changes nothing.
    values -= values.max(axis=1, keepdims=True)
    shifted: Logits = np.maximum(values, -1e30).astype(np.float32)
    return shifted


def _with_zero(column: Array) -> Array:
    return np.concatenate([np.zeros_like(column), column], axis=1)


def _log_odds(probabilities: Array) -> Array:
    smallest = np.finfo(np.float64).tiny
    yes, no = np.maximum(probabilities, smallest), np.maximum(1 - probabilities, smallest)
    odds: Array = np.log(yes) - np.log(no)
    return odds


def _chunks(outputs: Outputs) -> Iterator[tuple[int, Array]]:
    """All rows in chunks, each with the position of its first row."""
    step = max(1, CHUNK_VALUES // max(1, outputs.width))
    start = 0
    for block in outputs.blocks:
        for first in range(0, len(block), step):
            yield start + first, block[first : first + step]
        start += len(block)


def _is_clean(chunk: Array, kind: Kind) -> bool:
    if kind == "logits":
        with np.errstate(over="ignore", invalid="ignore"):
            # One pass without temporaries; a sum can overflow though every term is finite.
            return bool(np.isfinite(chunk.sum())) or bool(np.isfinite(chunk).all())
    return not _faulty(chunk, kind).any()


def _faulty(chunk: Array, kind: Kind) -> NDArray[np.bool_]:
    """Which rows break the promise of their kind, shape (m,)."""
    wrong: NDArray[np.bool_] = ~np.isfinite(chunk)
    if kind != "logits":
        with np.errstate(invalid="ignore"):
            np.logical_or(wrong, (chunk < 0) | (chunk > 1 + 1e-6), out=wrong)
            if kind == "probabilities" and chunk.shape[1] > 1:
                sums = chunk.sum(axis=1, dtype=np.float64, keepdims=True)
                np.logical_or(wrong, np.abs(sums - 1) > SUM_TOLERANCE, out=wrong)
    return np.asarray(wrong.any(axis=1))


def _describe_faults(outputs: Outputs, index: NDArray[np.int64]) -> str:
    """One more pass, to name how many rows are wrong and which."""
    faulty = np.concatenate([_faulty(chunk, outputs.kind) for _, chunk in _chunks(outputs)])
    endless = np.concatenate([_faulty(chunk, "logits") for _, chunk in _chunks(outputs)])
    if endless.any():
        faulty, what = endless, "hold NaN or infinities"
    elif outputs.kind == "probabilities":
        what = "are no probabilities (0 to 1, summing to 1); is `output: logits` meant?"
    else:
        what = "are no sigmoid values (0 to 1)"
    return f"{faulty.sum():,} of {len(faulty):,} rows {what}: index {name_some(index[faulty])}"
