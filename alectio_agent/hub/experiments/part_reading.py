"""What the readers of both kinds of parts share."""

from dataclasses import dataclass

LARGEST_INDEX = 2**32 - 1


@dataclass(frozen=True)
class Field:
    """One array beside the index.

    Attributes:
        kind: As `.npy` headers write it, such as `<f4`.
        row_shape: Shape of one row.
    """

    name: str
    kind: str
    row_shape: tuple[int, ...]


@dataclass(frozen=True)
class Contents:
    """What a part holds.

    Attributes:
        index_digest: SHA-256 of the sample indices, eight bytes each, little-endian.
        fields: By name; empty for lines.
    """

    rows: int
    index_digest: str
    fields: tuple[Field, ...] = ()


class BadPartError(Exception):
    """A part that is not what it should be; the text says where and why."""
