"""How much of a part is sent at once: what the line to the platform carries, whatever is sent."""

import threading

from alectio_agent.wire.slices import LARGEST_SLICE_BYTES, SMALLEST_SLICE_BYTES

QUICK_S = 1.0
MOST_PATIENT = 64


class Line:
    """One for all that goes to a platform; may be asked and told from any thread.

    A cut costs what was under way. So the parts in flight share what the line carries at once,
    and together never have more under way than the largest slice.
    """

    def __init__(self) -> None:
        """Start with the largest slices: a line that cannot carry them says so quickly."""
        self._lock = threading.Lock()
        self._carries_bytes = LARGEST_SLICE_BYTES
        self._quick = 0
        self._patience = 1

    def slice_bytes(self, in_flight: int) -> int:
        """How large the next slice may be.

        Args:
            in_flight: Parts that are sent at the same time, this one among them.
        """
        return max(SMALLEST_SLICE_BYTES, self._carries_bytes // in_flight)

    def note_taken(self, size_bytes: int, took_s: float, in_flight: int) -> None:
        """A slice arrived.

        Args:
            size_bytes: Its size.
            took_s: From its first byte to the answer.
            in_flight: As it was when it began.
        """
        with self._lock:
            if took_s >= QUICK_S:
                self._quick = 0
            elif 2 * size_bytes * in_flight > self._carries_bytes:  # a small one proves nothing
                self._quick += 1
            if self._quick >= self._patience:
                self._quick = 0
                self._carries_bytes = min(LARGEST_SLICE_BYTES, 2 * self._carries_bytes)

    def note_lost(self, size_bytes: int, in_flight: int) -> bool:
        """A slice did not arrive, or was too large for somebody on the way.

        Each time the next try of a larger one waits for more slices that arrive: a proxy with a
        limit would otherwise refuse every other slice.

        Args:
            size_bytes: Its size.
            in_flight: As it was when it began.

        Returns:
            Whether the next one will be smaller.
        """
        with self._lock:
            self._quick = 0
            self._patience = min(MOST_PATIENT, 2 * self._patience)
            # From its own size, so that slices that are lost together count once.
            half = max(SMALLEST_SLICE_BYTES, size_bytes * in_flight // 2)
            self._carries_bytes = min(self._carries_bytes, half)
            return size_bytes > SMALLEST_SLICE_BYTES
