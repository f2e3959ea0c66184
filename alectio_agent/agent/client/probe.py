"""Calls that only look: nothing is registered, claimed or kept, so that no agent is disturbed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from alectio_agent.agent.client.answers import read_record
from alectio_agent.agent.client.endpoints import HOLD_MARGIN_S
from alectio_agent.agent.client.transport import Request, Response, Transport
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import NotAuthorizedError
from alectio_agent.wire.operation import PlatformInfo
from alectio_agent.wire.probes import Probed
from alectio_agent.wire.protocol import PROTOCOL, PROTOCOL_HEADER


@dataclass(frozen=True)
class Greeting:
    """What a platform says to a token.

    Attributes:
        info: Who answers; None when it refuses the token.
        refusal: Why it does; None when it does not.
        ahead_s: How far its clock is ahead of this machine's; None when it tells no time.
    """

    info: PlatformInfo | None
    refusal: NotAuthorizedError | None
    ahead_s: float | None


class Probe:
    """The platform as `check` sees it."""

    def __init__(self, transport: Transport, token: Callable[[], str], clock: Clock) -> None:
        """Bind the calls to a transport; arguments as in `PlatformClient`."""
        self._transport = transport
        self._token = token
        self._clock = clock

    def greet(self) -> Greeting:
        """Ask who answers, and what this token may do.

        Raises:
            PlatformError: No answer, or one that is not a platform's; other protocols.
        """
        before = self._clock.now()
        response = self._send("GET", "/v1/platform")
        ahead_s = _ahead_s(response, before, self._clock.now())
        try:
            info = read_record(response, PlatformInfo, self._clock.now())
        except NotAuthorizedError as error:
            return Greeting(None, error, ahead_s)
        return Greeting(info, None, ahead_s)

    def hold(self, wait_s: float) -> Probed:
        """Have an answer held, as that to a poll is.

        Args:
            wait_s: How long.

        Raises:
            PlatformRejectedError: `not-found`: an older platform.
            PlatformError: No answer.
        """
        path = f"/v1/probe?wait_s={wait_s:g}"
        return self._probed(self._send("PUT", path, b"", wait_s + HOLD_MARGIN_S))

    def upload(self, body: bytes) -> Probed:
        """Send bytes that the platform counts and drops.

        Args:
            body: At most as large as a slice of a part.

        Raises:
            PlatformRejectedError: `not-found`: an older platform.
            PlatformError: No answer.
        """
        return self._probed(self._send("PUT", "/v1/probe", body))

    def _probed(self, response: Response) -> Probed:
        return read_record(response, Probed, self._clock.now())

    def _send(
        self, method: str, path: str, body: bytes | None = None, read_timeout_s: float = 30.0
    ) -> Response:
        headers = {"Authorization": f"Bearer {self._token()}", PROTOCOL_HEADER: str(PROTOCOL)}
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        # A hold that is cut must be seen, not tried again.
        return self._transport.send(
            Request(method, path, headers, body, read_timeout_s, is_repeatable=method == "GET")
        )


def _ahead_s(response: Response, before: datetime, after: datetime) -> float | None:
    """The answer was dated between the two moments, and dates have whole seconds."""
    try:
        dated = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    if dated.tzinfo is None:
        dated = dated.replace(tzinfo=UTC)
    middle = before + (after - before) / 2
    return (dated - middle).total_seconds()
