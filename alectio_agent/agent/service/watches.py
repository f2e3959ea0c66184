"""Looks for what no call tells by itself: an outage that lasts, a token that ends soon."""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from alectio_agent.agent.client.reach import Reach
from alectio_agent.agent.jobs.events import Tell
from alectio_agent.core.clock import Clock, timestamp
from alectio_agent.core.errors import ConfigError
from alectio_agent.wire.agents import Registered

log = logging.getLogger(__name__)

HOUR_S = 3600.0
DAY_S = 86400.0
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
    """Tells of a token that ends within two weeks, as far as the platform says when.

    Events are told once for each token, the log once a day.
    """

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
        self._logged_s: float | None = None
        self.renew: Callable[[], None] = _nothing

    @property
    def ends(self) -> datetime | None:
        """When the token ends; None when that is not known, or never."""
        return self._ends

    @property
    def warning(self) -> str:
        """That the token ends within two weeks, in words; empty otherwise."""
        ends, now = self._ends, self._clock.now()
        return "" if ends is None or ends - now > SOON else _words(ends, now)

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
        if ends is None or ends - now > SOON:
            return
        if self._digest_now() != self._digest:
            self._ends = self._logged_s = None
            self.renew()
            return
        self._log(ends, now)
        if self._digest == self._told:
            return
        self._told = self._digest
        self._tell(
            "token_expires_14d",
            expires_at=timestamp(ends),
            days_left=max(0, (ends - now).days),
        )

    def _log(self, ends: datetime, now: datetime) -> None:
        now_s = self._clock.monotonic()
        if self._logged_s is not None and now_s - self._logged_s < DAY_S:
            return
        self._logged_s = now_s
        log.warning(
            "E-AUTH-05  %s. Make another on the hub's machine, alectio-agent hub token create "
            "NAME, and bring it here: alectio-agent enroll URL",
            _words(ends, now),
        )

    def _digest_now(self) -> str:
        try:
            return hashlib.sha256(self._token().encode()).hexdigest()
        except ConfigError:
            return self._digest  # it is being written, or has gone: the next call says so


def _words(ends: datetime, now: datetime) -> str:
    days = (ends - now).days
    when = "has ended" if ends <= now else f"ends in {days} day{'' if days == 1 else 's'}"
    return f"the token {when} ({timestamp(ends)})"


def _nothing() -> None:
    """Nobody registers again."""
