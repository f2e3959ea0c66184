"""The samples a strategy may choose from, and those that are chosen already."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alectio_agent.analysis.keyed import mix64
from alectio_agent.analysis.outputs import Outputs
from alectio_agent.analysis.strategies.likeliest import Tally, two_likeliest
from alectio_agent.analysis.strategies.logits import Logits, Scores, score_rows, to_logits
from alectio_agent.analysis.strategies.uncertainty import MEASURES, probabilities
from alectio_agent.core.errors import ScoresError

Indices = NDArray[np.int64]

Between = tuple[int, int]
"""The likeliest column of a row and the second likeliest."""


@dataclass(frozen=True)
class Pool:
    """Unlabelled samples, with the scores of their rows when there are any.

    Attributes:
        index: Distinct sample indices, in any order, shape (n,).
        outputs: A row for each; None before there is a model.
    """

    index: Indices
    outputs: Outputs | None = None
    _scores: dict[str, Scores] = field(default_factory=dict, repr=False, compare=False)
    _tally: Tally = field(default_factory=Tally, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.index)

    def scores(self, measure: str) -> Scores:
        """Uncertainty of every sample, worked out once.

        Args:
            measure: Name of a measure of `uncertainty`.

        Returns:
            Scores, larger is to be labelled first, shape (n,).

        Raises:
            ScoresError: There are no scores, or they are not what they promise to be.
        """
        if measure not in self._scores:
            self._scores[measure] = score_rows(self._needed(), self.index, self._measure(measure))
        return self._scores[measure]

    def predicted(self) -> list[int]:
        """How many samples have each class as the likeliest.

        Returns:
            In column order; empty when no sample was scored.
        """
        counts: list[int] = self._tally.counts.tolist()
        return counts

    def between(self, positions: Indices) -> list[Between | None]:
        """The classes that samples lie between.

        Args:
            positions: Places in `index`.

        Returns:
            Two columns for each; None for each without scores.
        """
        if self.outputs is None or not len(positions):
            return [None] * len(positions)
        logits = to_logits(self.outputs.take(positions), self.outputs.kind)
        return [(first, second) for first, second in two_likeliest(logits).tolist()]

    def features(self, positions: Indices) -> NDArray[np.float64]:
        """What samples are compared by: their embedding, else their class probabilities.

        Args:
            positions: Places in `index`.

        Returns:
            Shape (len(positions), d).

        Raises:
            ScoresError: An embedding holds NaN or infinities.
        """
        outputs = self._needed()
        embedding = outputs.take_embedding(positions)
        if embedding is None:
            logits = to_logits(outputs.take(positions), outputs.kind)
            return probabilities(logits).astype(np.float64)
        if not np.isfinite(embedding).all():
            raise ScoresError("an embedding holds NaN or infinities")
        return embedding.astype(np.float64)

    def identities(self, positions: Indices) -> NDArray[np.uint64]:
        """A number for each row that equal rows share: all columns, scores and embedding.

        Args:
            positions: Places in `index`.

        Returns:
            64-bit digests, shape (len(positions),).
        """
        outputs = self._needed()
        rows = [outputs.take(positions)]
        embedding = outputs.take_embedding(positions)
        if embedding is not None:
            rows.append(embedding)
        digests = np.zeros(len(positions), np.uint64)
        for number, matrix in enumerate(rows):
            # Adding 0 makes -0.0 the same as 0.0; as float64 every column has 64 bits.
            bits = np.ascontiguousarray(matrix.astype(np.float64) + 0.0).view(np.uint64)
            columns = mix64(np.arange(matrix.shape[1], dtype=np.uint64) + np.uint64(number << 32))
            digests += mix64(bits ^ columns).sum(axis=1, dtype=np.uint64)
        return digests

    def narrowed(self, keep: Indices) -> "Pool":
        """Some of the samples only.

        Args:
            keep: Places in `index`.

        Returns:
            A pool of copies.
        """
        outputs = None if self.outputs is None else self.outputs.narrowed(keep)
        return Pool(self.index[keep], outputs)

    def _measure(self, measure: str) -> Callable[[Logits], Scores]:
        """A measure that counts the likeliest classes on the way, while the rows are at hand."""
        work = MEASURES[measure]
        if self._scores:
            return work

        def counting(logits: Logits) -> Scores:
            self._tally.add(logits)
            return work(logits)

        return counting

    def _needed(self) -> Outputs:
        if self.outputs is None:
            raise ScoresError("there are no scores yet; expected the result of an infer step")
        return self.outputs


@dataclass
class Taken:
    """The batch as it grows: no sample twice, and no equal rows while there are others.

    Attributes:
        has_dedup: Whether equal rows count as one sample.
        index: Samples that are taken.
        rows: Identities of their rows.
        passed_over: Samples that were not taken because an equal row was before them.
    """

    has_dedup: bool
    index: set[int] = field(default_factory=set)
    rows: set[int] = field(default_factory=set)
    passed_over: set[int] = field(default_factory=set)

    def take(self, pool: Pool, positions: Indices) -> NDArray[np.bool_]:
        """Take samples, as far as neither they nor rows equal to theirs are taken.

        Args:
            pool: Where they stand.
            positions: Places in the pool's index, the first to be taken first.

        Returns:
            Which of them were taken.
        """
        index = pool.index[positions].tolist()
        rows = pool.identities(positions).tolist() if self.has_dedup else index
        return np.array(
            [self._take_one(sample, row) for sample, row in zip(index, rows, strict=True)], bool
        )

    def _take_one(self, sample: int, row: int) -> bool:
        if sample in self.index:
            return False
        if self.has_dedup and row in self.rows:
            self.passed_over.add(sample)
            return False
        self.index.add(sample)
        self.rows.add(row)
        return True

    def fork(self) -> "Taken":
        """A copy to try things on; only what is passed over counts for both."""
        return Taken(self.has_dedup, set(self.index), set(self.rows), self.passed_over)
