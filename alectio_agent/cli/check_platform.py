"""The checks of the platform itself: who answers, its clock, what it says of the token."""

from alectio_agent.agent.client.probe import Greeting, Probe
from alectio_agent.agent.service.watches import SOON
from alectio_agent.cli.hub_hints import agent_token_mend, silence_mend
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.checks import Check, failed, passed
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import (
    NotAuthorizedError,
    PlatformError,
    PlatformUnavailableError,
)
from alectio_agent.core.units import format_duration

SKEW_WARN_S = 30.0
SKEW_FAIL_S = 600.0
"""Beyond this a token or a certificate may be taken for expired, and times in reports mislead."""
SOON_S = SOON.total_seconds()
CLOCK_MEND = "Which of the two is right? Here: timedatectl, and set-ntp true lets it keep time."


class PlatformChecks:
    """One call, and the lines that it gives."""

    def __init__(self, settings: AgentFile, probe: Probe, clock: Clock) -> None:
        """Prepare; nothing is called yet.

        Args:
            settings: Name the platform and the token's file.
            probe: Calls it.
            clock: For how long the token is good.
        """
        self._settings, self._probe, self._clock = settings, probe, clock
        self._greeting = Greeting(None, None, None)

    def platform(self) -> Check:
        """Call it.

        Raises:
            PlatformError: It does not answer, or something else does.
        """
        url = self._settings.platform.url
        try:
            self._greeting = self._probe.greet()
        except PlatformError as error:
            error.hint = error.hint or silence_mend(error)
            raise
        if self._greeting.info is None:
            return passed("platform", f"{url} answers, and refuses the token")
        return passed("platform", f"{url} answers (version {self._greeting.info.version})")

    def clock_skew(self) -> Check:
        """Compare this machine's clock with the platform's."""
        ahead_s = self._greeting.ahead_s
        if ahead_s is None:
            return Check("clock", "skipped", "the platform does not say what time it has")
        if abs(ahead_s) < SKEW_WARN_S:
            return passed("clock", "as the platform's, within seconds")
        side = "behind" if ahead_s > 0 else "ahead of"
        off_s = round(abs(ahead_s) / 60) * 60 if abs(ahead_s) >= SKEW_FAIL_S else abs(ahead_s)
        said = f"this machine is {format_duration(off_s)} {side} the platform"
        if abs(ahead_s) < SKEW_FAIL_S:
            return passed("clock", said, CLOCK_MEND)
        error = PlatformUnavailableError(said, code="E-NET-06", hint=CLOCK_MEND)
        return failed("clock", error)

    def token(self) -> Check:
        """Look at what the platform says of the token.

        Raises:
            NotAuthorizedError: It is refused, or has another scope than an agent's.
        """
        url, file = self._settings.platform.url, self._settings.platform.token_file
        info, refusal = self._greeting.info, self._greeting.refusal
        if refusal is not None:
            refusal.hint = refusal.hint or f"It was read from {file}. {agent_token_mend(url)}"
            raise refusal
        assert info is not None  # noqa: S101 - one of the two is there
        if info.scope != "agent":
            raise NotAuthorizedError(
                f"{url} takes the token, but its scope is {info.scope}; expected agent",
                problem="forbidden",
                hint=agent_token_mend(url),
            )
        ends = info.token_expires_at
        if ends is None:
            return passed("token", "taken, scope agent, does not expire (or it is not told)")
        left_s = (ends - self._clock.now()).total_seconds()
        said = f"taken, scope agent, good until {ends:%Y-%m-%d %H:%M} UTC"
        if left_s >= SOON_S:
            return passed("token", said)
        left = format_duration(max(0.0, left_s))
        return passed("token", said, f"it ends in {left}. {agent_token_mend(url)}")
