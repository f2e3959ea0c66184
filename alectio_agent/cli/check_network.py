"""The checks of the way to a platform elsewhere, one step after the other."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.agent.client.probe import Probe
from alectio_agent.agent.client.shown_certificate import ShownCertificate
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.client.way_out import WayOut
from alectio_agent.cli.agent_state import CLEAR_TEXT
from alectio_agent.cli.check_line import LineChecks
from alectio_agent.cli.check_platform import SOON_S, PlatformChecks
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.token_file import read_token
from alectio_agent.config.values import is_loopback
from alectio_agent.core.checks import Check, failed, passed
from alectio_agent.core.clock import Clock
from alectio_agent.core.errors import AlectioAgentError, ConfigError
from alectio_agent.core.units import format_duration

STEPS = (
    "dns", "tcp", "proxy", "tls", "platform", "clock", "token", "upload", "long poll",
)  # fmt: skip


def check_network(
    settings: AgentFile, clock: Clock, hold_s: float, *, token_is_good: bool
) -> Iterator[Check]:
    """Go the way to the platform; what comes behind a step that failed is not tried.

    Nothing is registered and no job is asked for, so that an agent that runs is not disturbed.

    Args:
        settings: Name the platform, the way there and the token.
        clock: For how long things take.
        hold_s: How long to have a poll held.
        token_is_good: Whether the token's file can be used.

    Yields:
        A check for each step.
    """
    url = settings.platform.url
    try:
        network = read_network(url, os.environ, settings)
    except ConfigError as error:
        yield failed("proxy", error)
        yield from _not_tried([step for step in STEPS if step != "proxy"], "proxy")
        return
    with closing(WayOut(url, network)) as way:
        checks = _WayChecks(url, network, way, clock)
        broken = yield from _each(
            {"dns": checks.dns, "tcp": checks.tcp, "proxy": checks.proxy, "tls": checks.tls}
        )
    rest = [step for step in STEPS if step not in ("dns", "tcp", "proxy", "tls")]
    if broken or not token_is_good:
        yield from _not_tried(rest, broken or "token file")
        return
    transport = HttpTransport(url, os.environ, clock, network=network)
    probe = Probe(transport, lambda: read_token(settings, os.environ), clock)
    hello = PlatformChecks(settings, probe, clock)
    broken = yield from _each({"platform": hello.platform})
    if broken:
        yield from _not_tried(rest[1:], broken)
        return
    yield hello.clock_skew()
    line = LineChecks(network, probe, clock)
    yield from _each(
        {
            "token": hello.token,
            "upload": line.upload,
            "long poll": lambda: line.long_poll(hold_s),
        }
    )


def not_called(why: str) -> Iterator[Check]:
    """All of them, left out.

    Args:
        why: In a few words.
    """
    return (Check(step, "skipped", why) for step in STEPS)


class _WayChecks:
    """The lines about the way, before anything is said in HTTP."""

    def __init__(self, url: str, network: Network, way: WayOut, clock: Clock) -> None:
        self._url, self._network, self._way, self._clock = url, network, way, clock

    def dns(self) -> Check:
        """Look up the first host on the way; behind a proxy it knows the platform's."""
        found = self._way.resolve()
        host, proxy = self._way.first.host, self._network.proxy
        whose = "" if proxy is None else " (the proxy looks up the platform)"
        if found == [host]:
            return passed("dns", f"{host} is an address: nothing to look up{whose}")
        more = f" and {len(found) - 2} more" if len(found) > 2 else ""
        return passed("dns", f"{host} is {', '.join(found[:2])}{more}{whose}")

    def tcp(self) -> Check:
        """Connect."""
        began_s = self._clock.monotonic()
        address = self._way.connect()
        took_s = self._clock.monotonic() - began_s
        return passed("tcp", f"{self._way.first} takes connections ({address}, {_ms(took_s)})")

    def proxy(self) -> Check:
        """Have a proxy connect to the platform, where there is one."""
        proxy = self._network.proxy
        if proxy is None:
            why = "on this machine" if is_loopback(self._url) else "none is configured"
            return passed("proxy", f"a direct way ({why})")
        named = f"{proxy.url} ({proxy.named_by})"
        if not self._way.speaks_tls or self._way.has_tls_proxy:
            return passed("proxy", f"{named}: used for the next steps")
        self._way.open_tunnel(proxy)
        who = f", password of {proxy.password_from}" if proxy.authorization else ", no password"
        return passed("proxy", f"{named} connects to {self._way.platform}{who}")

    def tls(self) -> Check:
        """Verify the certificate."""
        if not (self._way.speaks_tls or self._way.has_tls_proxy):
            is_clear = not is_loopback(self._url)
            warning = CLEAR_TEXT.format(url=self._url) if is_clear else ""
            return passed("tls", "none: the URL says http", warning)
        shown = self._way.shake_hands()
        left_s = shown.ends.timestamp() - self._clock.now().timestamp()
        warning = ""
        if left_s < SOON_S:
            warning = (
                f"the certificate ends in {format_duration(max(0.0, left_s))}: let who runs it "
                "renew it"
            )
        whose = "the proxy's certificate, " if self._way.has_tls_proxy else ""
        return passed("tls", f"{shown.version}, {whose}{_by(shown)}", warning)


def _each(steps: dict[str, Callable[[], Check]]) -> Generator[Check, None, str]:
    """Take steps in their order; gives back the one that failed, empty when none did."""
    names = list(steps)
    for position, (name, work) in enumerate(steps.items()):
        try:
            check = work()
        except AlectioAgentError as error:
            check = failed(name, error)
        yield check
        if check.state == "failed":
            yield from _not_tried(names[position + 1 :], name)
            return name
    return ""


def _not_tried(steps: list[str], broken: str) -> Iterator[Check]:
    for step in steps:
        yield Check(step, "skipped", f"not tried: {broken} must be mended first")


def _by(shown: ShownCertificate) -> str:
    whose = " of tls.ca_file" if shown.is_by_ca_file else ""
    seen = " (by that name a TLS-inspecting proxy)" if shown.is_inspected else ""
    return f'by "{shown.issuer}"{whose}{seen}, good until {shown.ends:%Y-%m-%d}'


def _ms(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))} ms"
