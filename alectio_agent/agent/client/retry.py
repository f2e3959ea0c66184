"""How long to wait before trying again. The only file with `tenacity`."""

import random
from collections.abc import Callable

from alectio_agent.agent.client.verdicts import what_is
from alectio_agent.core.errors import AlectioAgentError, PlatformError, PlatformUnavailableError
from alectio_agent.core.log import printable

FIRST_S = 1.0
LONGEST_S = 60.0
LONGEST_RETRY_AFTER_S = 300.0
NOT_AUTHORIZED_S = 120.0
"""A refused token is tried again this seldom: somebody has to mend it first."""
NAMED_AFTER = 3
"""One or two failures are a restart of the platform; after three the reason is told."""


class Backoff:
    """Waits of one activity: full jitter below a ceiling that doubles from 1 s to 60 s."""

    def __init__(
        self,
        rng: random.Random,
        *,
        longest_s: float = LONGEST_S,
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        """Start without failures.

        Args:
            rng: For the jitter.
            longest_s: Highest ceiling.
            on_failure: Called at each failure; None: nobody counts them.
        """
        self._on_failure = on_failure
        self._rng = rng
        self._longest_s = longest_s
        self._failures = 0
        self._reason = ""
        self._kinds: set[tuple[str, str]] = set()
        self._is_news = False

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._failures

    @property
    def trouble(self) -> str:
        """Why it fails, in words, after three failures in a row; empty before."""
        return self._reason if self._failures >= NAMED_AFTER else ""

    @property
    def is_news(self) -> bool:
        """Whether the last failure is worth a line of the log.

        The first of each kind since the last success is: what is wrong may change during an
        outage, such as no answer at first and then another certificate.
        """
        return self._is_news

    def failed(self, error: Exception | None = None, *, most_s: float | None = None) -> float:
        """Count a failure.

        Args:
            error: What happened; its `retry_after_s` is honoured, up to 300 s.
            most_s: The longest wait, whatever is asked; None for no such limit.

        Returns:
            Seconds to wait before the next try.
        """
        self._failures += 1
        if self._on_failure is not None:
            self._on_failure()
        self._reason = _words(error) or self._reason
        kind = _kind(error)
        self._is_news = kind not in self._kinds
        self._kinds.add(kind)
        wait_s = self._rng.uniform(0, _ceiling_s(self._failures, self._longest_s))
        asked_s = error.retry_after_s if isinstance(error, PlatformUnavailableError) else None
        wait_s = max(wait_s, min(asked_s or 0.0, LONGEST_RETRY_AFTER_S))
        return wait_s if most_s is None else min(wait_s, most_s)

    def refused(self, error: Exception) -> float:
        """Count a refusal of the token.

        Args:
            error: What the platform said.

        Returns:
            Seconds to wait: a minute or two, so that agents do not come back together.
        """
        self.failed(error)
        return self._rng.uniform(NOT_AUTHORIZED_S / 2, NOT_AUTHORIZED_S)

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0
        self._reason = ""
        self._kinds.clear()


def _ceiling_s(failures: int, longest_s: float) -> float:
    # Imported at the first failure: an agent that starts, and reaches its platform, need not wait.
    from tenacity import RetryCallState, Retrying, wait_exponential

    state = RetryCallState(Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = failures
    return wait_exponential(multiplier=FIRST_S, max=longest_s)(state)


def _kind(error: Exception | None) -> tuple[str, str]:
    if isinstance(error, PlatformError):
        return error.code, what_is(error)
    return "", type(error).__name__


def _words(error: Exception | None) -> str:
    if isinstance(error, AlectioAgentError):
        return printable(error.message)
    return "" if error is None else printable(str(error) or type(error).__name__)
