"""Looks for what no call tells by itself: an outage that lasts, a token that ends soon."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.jobs.events import Tell
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import ConfigError
from alectio_agent.wire.agents import Registered

HOUR_S = 3600.0
SOON = timedelta(days=14)


class OutageWatch:
    """Tells once of each outage that has lasted for an hour."""

    def __init__(self, reach: Reach, clock: Clock, tell: Tell) -> None:
        """Start without an outage.

        Args:
            reach: Knows how long none of the agent's calls has been answered.
            clock: For when it began.
            tell: Told of it.
        """
        self._reach = reach
        self._clock = clock
        self._tell = tell
        self._told_s: float | None = None

    def look(self) -> None:
        """Tell of an outage that is an hour old by now."""
        outage = self._reach.outage
        if outage is None or outage.since_s == self._told_s:
            return
        if outage.last_s - outage.since_s < HOUR_S:
            return
        self._told_s = outage.since_s
        passed = timedelta(seconds=self._clock.monotonic() - outage.since_s)
        since = timestamp(self._clock.now() - passed)
        self._tell("unreachable_1h", since=since, message=outage.reason)


class ExpiryWatch:
    """Tells once of each token that ends within two weeks, as far as the platform says when."""

    def __init__(self, token: Callable[[], str], clock: Clock, tell: Tell) -> None:
        """Know of no token yet; `renew` has the agent register again.

        Args:
            token: Reads the current token.
            clock: For how long it is good.
            tell: Told of its end.
        """
        self._token = token
        self._clock = clock
        self._tell = tell
        self._digest = self._told = ""
        self._ends: datetime | None = None
        self.renew: Callable[[], None] = _nothing

    @property
    def ends(self) -> datetime | None:
        """When the token ends; None when that is not known, or never."""
        return self._ends

    def note(self, registered: Registered) -> None:
        """Take the answer to a registration; from any thread.

        Args:
            registered: May say when the token ends.
        """
        self._ends = registered.token_expires_at
        self._digest = self._digest_now()

    def look(self) -> None:
        """Tell when the end is near; a token that was replaced meanwhile is asked about first."""
        ends, now = self._ends, self._clock.now()
        if ends is None or ends - now > SOON or self._digest == self._told:
            return
        if self._digest_now() != self._digest:
            self._ends = None
            self.renew()
            return
        self._told = self._digest
        self._tell(
            "token_expires_14d",
            expires_at=timestamp(ends),
            days_left=max(0, (ends - now).days),
        )

    def _digest_now(self) -> str:
        try:
            return hashlib.sha256(self._token().encode()).hexdigest()
        except ConfigError:
            return self._digest  # it is being written, or has gone: the next call says so


def _nothing() -> None:
    """Nobody registers again."""
