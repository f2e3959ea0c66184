"""`Content-Range` of a slice of a part: which bytes it holds, or how much there is, asked."""

import re
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field

from alectio_agent.wire.protocol import MAX_COUNT
from alectio_agent.wire.records import Record

RANGE_HEADER = "Content-Range"
SMALLEST_SLICE_BYTES = 64 * 2**10
LARGEST_SLICE_BYTES = 4 * 2**20
_SLICE = re.compile(r"bytes (\d{1,16})-(\d{1,16})/(\d{1,16})")
_QUESTION = re.compile(r"bytes \*/(\d{1,16})")


@dataclass(frozen=True)
class Slice:
    """Bytes `start` to `stop` (not included) of a part of `total` bytes; none in a question."""

    start: int
    stop: int
    total: int

    @property
    def is_question(self) -> bool:
        """Whether it only asks how much of the part is there."""
        return self.start == self.stop

    @classmethod
    def question(cls, total: int) -> Self:
        """Ask how much of a part is there.

        Args:
            total: Size of the part, in bytes.
        """
        return cls(0, 0, total)

    @classmethod
    def read(cls, header: str) -> Self:
        """Read the header.

        Args:
            header: Such as `bytes 0-65535/4194304`, or `bytes */4194304` for a question.

        Raises:
            ValueError: It is neither, or its numbers make no sense; the text says which.
        """
        asked = _QUESTION.fullmatch(header.strip())
        if asked:
            return cls.question(cls._size(int(asked[1])))
        found = _SLICE.fullmatch(header.strip())
        if not found:
            raise ValueError("expected `bytes FIRST-LAST/TOTAL` or `bytes */TOTAL`")
        first, last, total = (int(number) for number in found.groups())
        if not first <= last < cls._size(total):
            raise ValueError(f"expected FIRST <= LAST < TOTAL, found {first}, {last}, {total}")
        return cls(first, last + 1, total)

    @staticmethod
    def _size(total: int) -> int:
        if not 1 <= total <= MAX_COUNT:
            raise ValueError(f"expected a TOTAL of at least 1, found {total}")
        return total

    def __str__(self) -> str:
        if self.is_question:
            return f"bytes */{self.total}"
        return f"bytes {self.start}-{self.stop - 1}/{self.total}"


class PartTaken(Record):
    """The answer to a part or a slice of one.

    Attributes:
        have: Bytes that are there, from the first on without a gap; all of them: the part is
            whole, its digest was checked, and it is durable.
    """

    status: Literal["accepted"]
    have: int = Field(ge=0, le=MAX_COUNT)
