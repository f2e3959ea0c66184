"""How long to wait before trying again. The only file with `tenacity`."""

import random

from tenacity import RetryCallState, Retrying, wait_exponential

from alectio_agent.core.errors import PlatformUnavailableError

FIRST_S = 1.0
LONGEST_S = 60.0
LONGEST_RETRY_AFTER_S = 300.0
NOT_AUTHORIZED_S = 120.0
"""A refused token is tried again this seldom: somebody has to mend it first."""


class Backoff:
    """Waits of one activity: full jitter below a ceiling that doubles from 1 s to 60 s."""

    def __init__(self, rng: random.Random, *, longest_s: float = LONGEST_S) -> None:
        """Start without failures.

        Args:
            rng: For the jitter.
            longest_s: Highest ceiling.
        """
        self._rng = rng
        self._ceiling = wait_exponential(multiplier=FIRST_S, max=longest_s)
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    def failed(self, error: Exception | None = None) -> float:
        """Count a failure.

        Args:
            error: What happened; its `retry_after_s` is honoured, up to 300 s.

        Returns:
            Seconds to wait before the next try.
        """
        self._failures += 1
        state = RetryCallState(Retrying(), fn=None, args=(), kwargs={})
        state.attempt_number = self._failures
        wait_s = self._rng.uniform(0, self._ceiling(state))
        asked_s = error.retry_after_s if isinstance(error, PlatformUnavailableError) else None
        return max(wait_s, min(asked_s or 0.0, LONGEST_RETRY_AFTER_S))

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0
