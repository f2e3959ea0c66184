"""Chance that repeats: 64-bit numbers from a key and a sample index, whatever the row order.

A stream of random numbers would give the n-th row the n-th number, so that reading the rows in
another order would change a selection. Here each sample's number depends on the key and its own
index only.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TieBreak = Literal["seeded", "index"]


class Purpose(IntEnum):
    """What a number is drawn for; each purpose has numbers of its own."""

    TIES = 0
    PICKS = 1
    CLUSTERS = 2
    SUBSAMPLE = 3


@dataclass(frozen=True)
class Draw:
    """Everything random about one part of one batch.

    Attributes:
        seed: Of the experiment, zero or more.
        loop: The loop that the batch is chosen for, from 0.
        part: Position of the part in the strategy, from 0.
        tie_break: `seeded` orders equal scores by chance, `index` by sample index.
    """

    seed: int
    loop: int
    part: int = 0
    tie_break: TieBreak = "seeded"

    def ties(self, index: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Ranks that order samples of equal score, smaller first.

        Args:
            index: Sample indices, zero or more.

        Returns:
            Distinct numbers for distinct samples.
        """
        if self.tie_break == "index":
            return index.astype(np.uint64)
        return _numbers(index, _key(self.seed, self.loop, self.part, Purpose.TIES))

    def picks(self, index: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Random ranks of samples; the n smallest are a uniform draw without replacement.

        Args:
            index: Sample indices, zero or more.

        Returns:
            Distinct numbers for distinct samples.
        """
        return _numbers(index, _key(self.seed, self.loop, self.part, Purpose.PICKS))

    def subsample(self, index: NDArray[np.int64]) -> NDArray[np.uint64]:
        """As `picks`, for choosing what is scored at all; the same for every part.

        Args:
            index: Sample indices, zero or more.

        Returns:
            Distinct numbers for distinct samples.
        """
        return _numbers(index, _key(self.seed, self.loop, 0, Purpose.SUBSAMPLE))

    def cluster_seed(self) -> int:
        """A seed for k-means, below 2**32."""
        return int(_key(self.seed, self.loop, self.part, Purpose.CLUSTERS)[0] >> np.uint64(32))


def mix64(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit numbers; different numbers stay different.

    Args:
        numbers: Any shape.

    Returns:
        A new array of the same shape.

    Source:
        Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators.
    """
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _key(seed: int, loop: int, part: int, purpose: Purpose) -> NDArray[np.uint64]:
    state = np.random.SeedSequence([seed, loop, part, int(purpose)]).generate_state(2, np.uint64)
    return state.astype(np.uint64)


def _numbers(index: NDArray[np.int64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # Two rounds with two keys: after one, sums of key and index would collide between keys.
    return mix64(mix64(index.astype(np.uint64) ^ key[0]) ^ key[1])
