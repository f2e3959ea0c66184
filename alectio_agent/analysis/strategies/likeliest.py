"""Which classes a model takes rows for: the likeliest of each row, and the runner-up."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.strategies.logits import Logits


@dataclass
class Tally:
    """How many rows have each class as the likeliest; the first of several equal ones counts.

    Attributes:
        counts: In column order; empty before the first row.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, logits: Logits) -> None:
        """Count some rows.

        Args:
            logits: Shape (m, c), the same c each time.
        """
        found = _count(logits)
        self.counts = found if not len(self.counts) else self.counts + found


def two_likeliest(logits: Logits) -> NDArray[np.int64]:
    """The columns that a row lies between.

    Args:
        logits: Shape (m, c), c >= 2.

    Returns:
        The likeliest and the second likeliest, the earlier of equal ones first, shape (m, 2).
    """
    return np.argsort(-logits, axis=1, kind="stable")[:, :2]


def _count(logits: Logits) -> NDArray[np.int64]:
    # Columns are compared with the largest, which takes a third of the time of an argmax.
    is_largest = logits == logits.max(axis=1)[:, None]
    columns = logits.shape[1]
    counts = np.array([np.count_nonzero(is_largest[:, column]) for column in range(columns)])
    if counts.sum() != len(logits):  # equal ones, of which only the first counts
        counts = np.bincount(logits.argmax(axis=1), minlength=columns)
    return counts.astype(np.int64)
