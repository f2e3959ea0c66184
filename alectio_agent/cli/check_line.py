"""The checks of what the line bears: a part that goes out, an answer that is held."""

import hashlib
import os
import sys

import click

from alectio_agent.agent.client.network import Network
from alectio_agent.agent.client.probe import Probe
from alectio_agent.core.checks import Check, passed
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import (
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
)
from alectio_agent.core.units import format_size

SIZES = (64 * 2**10, 2**20, 4 * 2**20)
"""The largest is that of a slice. Many proxies stop at 1 MiB."""
PATIENCE_S = 15.0
"""A size that would take longer than this, by the speed of the last one, is not tried."""
SHORTEST_S = 1.0
"""An agent asks for no shorter hold: with less it would poll without a pause."""
HELD_ENOUGH = 0.9
OLDER = "this platform has no call to try it with (older than this agent): it shows with a job"


class LineChecks:
    """Both through `PUT /v1/probe`, of which the platform keeps nothing."""

    def __init__(self, network: Network, probe: Probe, clock: Clock) -> None:
        """Prepare.

        Args:
            network: Which way leads there.
            probe: Calls the platform.
            clock: For how long things take.
        """
        self._network, self._probe, self._clock = network, probe, clock

    def upload(self) -> Check:
        """Send random bytes, more each time, and have them counted at the other end.

        Raises:
            PlatformError: Not even a little arrives.
        """
        sent_bytes, took_s = 0, 0.0
        for size in SIZES:
            if sent_bytes and took_s * size / sent_bytes > PATIENCE_S:
                break
            try:
                took_s = self._send(size)
            except PlatformRejectedError as error:
                if error.problem != "not-found":
                    raise
                return passed("upload", "not tried", OLDER)
            except PlatformUnavailableError as error:
                if not sent_bytes:
                    raise self._no_upload(size, error) from error
                return passed("upload", _arrived(sent_bytes, took_s), self._limit(size, error))
            sent_bytes = size
        return passed("upload", f"a part of {_arrived(sent_bytes, took_s)}")

    def long_poll(self, hold_s: float) -> Check:
        """Have an answer held as the answer to a poll is.

        Args:
            hold_s: How long.

        Raises:
            PlatformError: It is cut before even the shortest poll would end.
        """
        if sys.stderr.isatty():
            click.echo(f"      a poll is held for {hold_s:g} s ...", err=True)
        began_s = self._clock.monotonic()
        try:
            found = self._probe.hold(hold_s)
        except PlatformRejectedError as error:
            if error.problem != "not-found":
                raise
            return passed("long poll", "not tried", OLDER)
        except PlatformUnavailableError as error:
            return self._cut(hold_s, self._clock.monotonic() - began_s, error)
        if found.held_s >= hold_s * HELD_ENOUGH:
            return passed("long poll", f"held for {found.held_s:.1f} s, as asked")
        return passed(
            "long poll",
            f"held for {found.held_s:.1f} s of {hold_s:g} s",
            "the platform itself answered early: it stops just now, or has begun again",
        )

    def _send(self, size_bytes: int) -> float:
        body = os.urandom(size_bytes)
        began_s = self._clock.monotonic()
        found = self._probe.upload(body)
        took_s = self._clock.monotonic() - began_s
        if (found.bytes, found.sha256) != (size_bytes, hashlib.sha256(body).hexdigest()):
            raise PlatformUnavailableError(
                f"{size_bytes} bytes were sent, and {found.bytes} others arrived: {self._between} "
                "changes what passes",
                code="E-NET-08",
                hint="Ask who runs it to let this host through untouched.",
            )
        return took_s

    @property
    def _between(self) -> str:
        proxy = self._network.proxy
        if proxy is None:
            return "something between here and the platform (a firewall, a balancer, its own proxy)"
        return f"the proxy {proxy.url} ({proxy.named_by}), or something behind it,"

    def _no_upload(self, size: int, error: PlatformUnavailableError) -> PlatformError:
        if error.code == "E-NET-08":
            return error
        return PlatformUnavailableError(
            f"no part arrives: {self._between} does not let PUT with {format_size(size)} pass: "
            f"{error.message}",
            code="E-NET-08",
            hint="Questions are answered, so the platform is there. Ask who runs it to allow PUT.",
        )

    def _limit(self, size: int, error: PlatformUnavailableError) -> str:
        return (
            f"E-NET-08  {self._between} stops {format_size(size)}: {error.message}. Agents send "
            "smaller slices then, which takes longer; better have that limit lifted"
        )

    def _cut(self, hold_s: float, passed_s: float, error: PlatformUnavailableError) -> Check:
        """Agents ask for shorter holds then: worth a warning, as long as there is any hold."""
        how = "answered for the platform" if error.silence == "foreign" else "cut the line"
        message = (
            f"{self._between} {how} after {passed_s:.1f} s, where {hold_s:g} s were asked for: "
            f"{error.message}"
        )
        mend = f"Let it wait for answers for {max(60.0, 2 * hold_s):g} s. Agents poll more often"
        if passed_s < SHORTEST_S:
            raise PlatformUnavailableError(message, code="E-NET-07", hint=mend + ".")
        said = f"cut after {passed_s:.1f} s of {hold_s:g} s"
        return passed("long poll", said, f"E-NET-07  {message}. {mend}")


def _arrived(size_bytes: int, took_s: float) -> str:
    speed = format_size(int(size_bytes / max(took_s, 1e-3)))
    return f"{format_size(size_bytes)} arrived whole ({speed}/s)"
