"""Learns how long a poll may be held on this line, and when to ask again after an empty answer."""

import logging
import random

from alectio_agent.core.errors import PlatformUnavailableError

log = logging.getLogger(__name__)

SHORTEST_S = 1.0
LONGEST_S = 300.0
"""The protocol knows no longer hold."""
CUTS = 2
"""So many polls that were cut, with fewer than `FIRST_PATIENCE` held ones after each: the line, not
a restart of the platform. They need not follow one another: a platform ends holds at random, so
that a limit just below what was asked cuts only some."""
FIRST_PATIENCE = 8
"""Polls that were held to their end before a longer wait is tried; twice as many each time that
it was cut again, so that a proxy with a fixed limit costs less and less."""
MOST_PATIENCE = 512
SHORT_POLL_S = 5.0
"""Between polls of a platform that answers at once instead of holding them."""
HELD_S = 1.0
"""An empty answer that came sooner was not held."""
CUT_STATUSES = frozenset({408, 502, 504, 524})
"""How proxies say that they have waited long enough."""


class Hold:
    """How long the platform is asked to hold a poll: what it wants, or what the line bears."""

    def __init__(self, asked_s: float) -> None:
        """Start with what the platform wants.

        Args:
            asked_s: Its `poll_wait_s`.
        """
        self._asked_s = self._wait_s = _bounded(asked_s)
        self._cuts = self._held = 0
        self._patience = FIRST_PATIENCE
        self._is_trial = self._was_raised = self._is_known = False

    @property
    def wait_s(self) -> float:
        """Seconds to ask for in the next poll."""
        return min(self._wait_s, self._asked_s)

    @property
    def is_learnt(self) -> bool:
        """Whether the line bears less than the platform wants."""
        return self._wait_s < self._asked_s

    def ask(self, asked_s: float) -> None:
        """Take what the platform wants now; what was learnt stays.

        Args:
            asked_s: Its `poll_wait_s`.
        """
        is_learnt, self._asked_s = self.is_learnt, _bounded(asked_s)
        if not is_learnt:
            self._wait_s = self._asked_s

    def was_held(self, passed_s: float) -> bool:
        """Whether an empty answer came late enough to have been held.

        Args:
            passed_s: Since the poll was sent.
        """
        return passed_s > min(HELD_S, self.wait_s / 2)

    def answered(self, passed_s: float) -> None:
        """Learn from an answer, whatever it was.

        Args:
            passed_s: Since the poll was sent.
        """
        if passed_s < self.wait_s / 2:
            return  # it tells nothing about long silences
        self._is_trial = False
        self._held += 1
        if self._held >= FIRST_PATIENCE:
            self._cuts = 0
        if self.is_learnt and self._held >= self._patience:
            self._held, self._cuts = 0, 0
            self._is_trial = self._was_raised = True
            self._wait_s = min(self._asked_s, self._wait_s * 2)

    def failed(self, error: PlatformUnavailableError, passed_s: float) -> bool:
        """Learn from a poll that got no answer; only one that was cut while it was held counts.

        Args:
            error: Why there was none.
            passed_s: Since the poll was sent.

        Returns:
            Whether it was to be expected: this line has cut polls before.
        """
        is_cut = error.silence in ("cut", "late") or error.status in CUT_STATUSES
        if not is_cut or not self.was_held(passed_s):
            return False
        self._cuts += 1
        self._held = 0
        was_known = self._is_known
        if self._is_trial or self._cuts >= CUTS:
            self._shorten()
        return was_known

    def _shorten(self) -> None:
        if self._was_raised:
            self._patience = min(MOST_PATIENCE, self._patience * 2)
        self._cuts = 0
        self._wait_s = max(SHORTEST_S, self.wait_s / 2)
        if not self._was_raised:
            log.info("polls are cut on this line: held for %g s from now on", self._wait_s)
        self._is_trial, self._was_raised, self._is_known = False, False, True

    def pause_s(self, rng: random.Random, passed_s: float, asked_s: float | None) -> float:
        """How long to wait after an empty answer.

        Args:
            rng: For the jitter.
            passed_s: Since the poll was sent.
            asked_s: What the answer asks to wait, from 0 to 300 s; None when it does not ask.

        Returns:
            Seconds: none after a poll that was held, up to 5 after one that was not; never less
            than was asked, and up to a tenth more.
        """
        short_s = 0.0 if self.was_held(passed_s) else rng.uniform(0, SHORT_POLL_S)
        if not asked_s:
            return short_s
        return asked_s + rng.uniform(0, max(1.0, asked_s / 10))


def _bounded(asked_s: float) -> float:
    """A platform that asks for less than a second would be asked without a pause."""
    return min(max(SHORTEST_S, asked_s), LONGEST_S)
