"""How far a classifier's confidence may be believed: reliability diagram and calibration error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.outputs import Outputs
from alectio_agent.analysis.strategies.logits import sound_chunks, to_logits
from alectio_agent.analysis.strategies.uncertainty import probabilities

BINS = 10

ROUGH = 0.1
"""A larger error is worth a warning: what strategies go by is a rough guess then."""


@dataclass(frozen=True)
class Bin:
    """Samples of about one confidence.

    Attributes:
        low: Their confidence is above it; in the first bin also at it.
        high: And at most this.
        count: How many there are.
        confidence: Their mean; None without samples.
        accuracy: How many of them have the label that was likeliest; None without samples.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """A reliability diagram.

    Attributes:
        ece: Expected calibration error: the mean gap between confidence and accuracy, each bin
            with the weight of its samples.
        bins: Ten of one width, from 0 to 1.
    """

    ece: float
    bins: list[Bin]

    @property
    def gap(self) -> float:
        """Mean confidence minus accuracy: above zero when the model is too sure of itself."""
        parts = [
            (each.count, each.confidence - each.accuracy)
            for each in self.bins
            if each.confidence is not None and each.accuracy is not None
        ]
        return sum(count * gap for count, gap in parts) / sum(count for count, _ in parts)


def calibrate(outputs: Outputs, index: NDArray[np.int64], labels: NDArray[np.int64]) -> Calibration:
    """Compare how sure a model was of the likeliest class with how often that class was right.

    Args:
        outputs: Scores of the test set; softmax makes logits probabilities.
        index: The rows' sample indices, for messages.
        labels: Column numbers, shape (n,), n >= 1.

    Returns:
        The diagram and its error.

    Raises:
        ScoresError: A row is not finite, or holds no probabilities though it should.

    Source:
        Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
    """
    confidence, likeliest = _confidences(outputs, index)
    edges = np.linspace(0, 1, BINS + 1)
    places = np.searchsorted(edges[1:-1], confidence)
    counts = np.bincount(places, minlength=BINS)
    sure = np.bincount(places, confidence, BINS)
    right = np.bincount(places, likeliest == labels, BINS)
    bins = [
        Bin(
            low=float(edges[place]),
            high=float(edges[place + 1]),
            count=int(count),
            confidence=float(sure[place] / count) if count else None,
            accuracy=float(right[place] / count) if count else None,
        )
        for place, count in enumerate(counts)
    ]
    return Calibration(float(np.abs(sure - right).sum() / len(labels)), bins)


def _confidences(
    outputs: Outputs, index: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probability and column of the likeliest class of each row."""
    confidence = np.empty(len(outputs))
    likeliest = np.empty(len(outputs), np.int64)
    for start, chunk in sound_chunks(outputs, index):
        here = slice(start, start + len(chunk))
        logits = to_logits(chunk, outputs.kind)
        is_ready = outputs.kind != "logits" and chunk.shape[1] > 1
        likeliest[here] = logits.argmax(axis=1)
        confidence[here] = (chunk if is_ready else probabilities(logits)).max(axis=1)
    # Single precision may add up to a little more than one.
    return np.minimum(confidence, 1.0), likeliest
