"""What a job must write down before it goes on, for as long as the disk refuses it."""

from collections import deque
from collections.abc import Callable

Write = Callable[[], None]


class Owed:
    """Writes in their order, each of which may be done again; used by the slot's thread only."""

    def __init__(self) -> None:
        """Start owing nothing."""
        self._writes: deque[Write] = deque()
        self._is_result = False

    @property
    def holds_result(self) -> bool:
        """Whether a result is still to be written."""
        return self._is_result and bool(self._writes)

    def __bool__(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._writes)

    def add(self, *writes: Write, is_result: bool = False) -> None:
        """Write now, or whenever `settle` is called next.

        Args:
            writes: In this order, nothing before what stands before it went through.
            is_result: Cannot be had again for nothing: a stop waits for it. All else the next
                start finds out by itself.

        Raises:
            StoreUnavailableError: The disk refuses; what is left is kept.
        """
        self._writes.extend(writes)
        self._is_result = is_result
        self.settle()

    def settle(self) -> None:
        """Write what is left.

        Raises:
            StoreUnavailableError: The disk refuses still.
        """
        while self._writes:
            self._writes[0]()
            self._writes.popleft()
