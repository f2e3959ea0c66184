"""What is told of polls that fail, and how long to wait after each."""

import logging
import random

from alectio_agent.agent.client.negotiation import foreign_doubt
from alectio_agent.agent.client.retry import Backoff
from alectio_agent.agent.client.verdicts import Action, what_is
from alectio_agent.core.errors import PlatformError, ProtocolMismatchError
from alectio_agent.core.log import printable

log = logging.getLogger(__name__)

LONGEST = 1000
"""The mend stands at the end of a message, and must not be cut off."""
REFUSED_MEND = (
    "Bring the right one, alectio-agent enroll URL: the token file is read anew each time"
)


class PollTrouble:
    """Counts failures in a row, and tells each kind of them once.

    Attributes:
        text: Why the platform gives no work; empty while it answers.
    """

    def __init__(self, rng: random.Random) -> None:
        """Start without trouble.

        Args:
            rng: For the jitter of waits.
        """
        self._backoff = Backoff(rng)
        self._is_expected = self._is_told = self._is_asked = False
        self.text = ""

    @property
    def failures(self) -> int:
        """Failures since the last success."""
        return self._backoff.failures

    @property
    def lasting(self) -> str:
        """Why polls fail, after three failures in a row; empty before."""
        return self._backoff.trouble

    def expect(self) -> None:
        """The next failure is no news, such as a poll that was cut by the stop itself."""
        self._is_expected = True

    def failed(self, error: PlatformError, action: Action) -> float:
        """Tell of a failure.

        Args:
            error: What happened.
            action: What the table of rules says.

        Returns:
            Seconds to wait before the next try.
        """
        if action == "register" and not self._is_asked:
            # It answers, perhaps after an outage: that need not last half as long again. A platform
            # that says so each time is asked ever more seldom.
            self.succeeded()
        self._is_asked = action == "register"
        is_refused = action == "slow"
        wait_s = self._backoff.refused(error) if is_refused else self._backoff.failed(error)
        is_news = self._backoff.is_news and not self._is_expected
        self._is_expected = False
        if action == "register":
            return wait_s  # what a platform that was restarted says, and it mends itself
        level, self.text, line = _words(error, action)
        if is_news:
            self._is_told = True
            log.log(level, "%s  %s", error.code, line)
        return wait_s

    def succeeded(self) -> None:
        """A turn went well."""
        self._backoff.succeeded()
        self._is_asked = False
        self.reached()

    def reached(self) -> None:
        """The platform answers, which says nothing yet about the poll that comes next."""
        self.text = ""
        if self._is_told:
            self._is_told = False
            log.info("the platform answers again")


def _words(error: PlatformError, action: Action) -> tuple[int, str, str]:
    """Level and two forms of what is told: in short, and as a line of the log."""
    found = printable(error.message, LONGEST)
    if action == "slow":
        mend = REFUSED_MEND
        if isinstance(error, ProtocolMismatchError):
            mend = error.hint
        else:
            found = f"the platform refuses the token: {found}"
        return logging.ERROR, found, f"{found}. {mend}. Trying again every minute or two"
    if action == "retry":
        told = f"{found}{foreign_doubt(error)}"
        ended = told if told.endswith(("?", ".")) else f"{told}."
        return logging.WARNING, found, f"{ended} Trying again for as long as it takes"
    found = f"the platform answers {what_is(error)}: {found}"
    return logging.ERROR, found, found
