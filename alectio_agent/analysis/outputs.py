"""What `infer` returned for a pool, as arrays in one or several blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alectio_agent.core.errors import ScoresError

Kind = Literal["logits", "probabilities", "sigmoid"]
Array = NDArray[Any]
SHOWN = 5
"""How many indices a message names."""


@dataclass(frozen=True)
class Outputs:
    """Scores of a pool, row by row; never copied as a whole.

    Attributes:
        blocks: Matrices of one width, together one row per sample; may be memory-mapped.
        kind: What the numbers are: `logits` before a softmax, `probabilities` after it, or
            `sigmoid`: a probability for each class by itself.
        embedding: Matrices with the same rows as the blocks; None when the result holds none.
    """

    blocks: tuple[Array, ...]
    kind: Kind = "logits"
    embedding: tuple[Array, ...] | None = None

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    @property
    def width(self) -> int:
        """Columns of a row; 0 without rows."""
        return int(self.blocks[0].shape[1]) if self.blocks else 0

    def take(self, positions: NDArray[np.int64]) -> Array:
        """Copy some rows of scores.

        Args:
            positions: Row numbers, counted through all blocks.

        Returns:
            The rows, shape (len(positions), width).
        """
        return take_rows(self.blocks, positions)

    def take_embedding(self, positions: NDArray[np.int64]) -> Array | None:
        """Copy some rows of the embedding.

        Args:
            positions: Row numbers, counted through all blocks.

        Returns:
            The rows, or None when the result holds no embedding.
        """
        return None if self.embedding is None else take_rows(self.embedding, positions)

    def narrowed(self, positions: NDArray[np.int64]) -> "Outputs":
        """The outputs of some rows only.

        Args:
            positions: Row numbers, counted through all blocks.

        Returns:
            Outputs of one block.
        """
        embedding = self.take_embedding(positions)
        return Outputs(
            blocks=(self.take(positions),),
            kind=self.kind,
            embedding=None if embedding is None else (embedding,),
        )


def take_rows(blocks: Sequence[Array], positions: NDArray[np.int64]) -> Array:
    """Copy rows out of matrices that lie one below the other.

    Args:
        blocks: Matrices of one width; at least one.
        positions: Row numbers, counted through all blocks.

    Returns:
        The rows in the order asked for.
    """
    ends = np.cumsum([len(block) for block in blocks])
    home = np.searchsorted(ends, positions, side="right")
    taken = np.empty((len(positions), blocks[0].shape[1]), np.result_type(*blocks))
    for number in np.unique(home):
        here = home == number
        start = ends[number] - len(blocks[number])
        taken[here] = blocks[number][positions[here] - start]
    return taken


def check_index(index: NDArray[np.int64]) -> None:
    """Refuse sample indices that cannot be.

    Args:
        index: Sample indices of a result.

    Raises:
        ScoresError: A negative index, or one that stands twice.
    """
    if len(index) and index.min() < 0:
        raise ScoresError(f"found index {index.min()}; expected zero or more")
    if np.all(index[1:] > index[:-1]):
        return
    ordered = np.sort(index)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        raise ScoresError(f"{len(twice)} indices stand twice: {name_some(np.unique(twice))}")


def name_some(index: NDArray[np.int64]) -> str:
    """Name the first few of many indices.

    Args:
        index: What to name.

    Returns:
        Such as `3, 17, 90, ...`.
    """
    shown = ", ".join(str(number) for number in index[:SHOWN].tolist())
    return f"{shown}, ..." if len(index) > SHOWN else shown
