"""Goes the way to a platform one step at a time: name, connection, proxy, TLS. No HTTP is sent."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from alectio_agent.agent.client.deadlines import Deadlines, Watch
from alectio_agent.agent.client.network import Network, Proxy
from alectio_agent.agent.client.shown_certificate import ShownCertificate
from alectio_agent.agent.client.silence import proxy_refuses, why_silent
from alectio_agent.agent.client.transport import CONNECT_TIMEOUT_S, CONNECT_TOTAL_S
from alectio_agent.agent.client.tunnel import TunnelAnswer, ask_for_tunnel
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformUnavailableError

DEFAULT_PORTS = {"https": 443, "http": 80}
NAME_MEND = (
    "Is the name right, and does this machine ask the right name servers (/etc/resolv.conf)? "
    "Behind a proxy the proxy looks it up: proxy.url."
)
CLOSED_MEND = "Is that the right port, and does the platform run? A firewall may refuse it as well."
DROPPED_MEND = (
    "A firewall on the way may drop it: ask your network team to open {} (TCP, outbound)."
)
PAGE_MEND = (
    "Is a sign-in needed, or is that no proxy? Ask who runs it to let this host through; for a "
    "direct way: proxy.no_proxy."
)


@dataclass(frozen=True)
class Place:
    """A host and a port."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Where a URL leads."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class WayOut:
    """One connection, made for nothing but to see that it can be made."""

    def __init__(self, url: str, network: Network) -> None:
        """Prepare; nothing is sent.

        Args:
            url: Of the platform.
            network: How it is reached.
        """
        self._url, self._network = url, network
        self.platform = Place.of(url)
        self.first = Place.of(network.proxy.url) if network.proxy else self.platform
        self._addresses: list[tuple[str, int]] = []
        self._connected: socket.socket | None = None
        self._watch = Watch(Deadlines(SystemClock()))

    @property
    def speaks_tls(self) -> bool:
        """Whether the platform is reached by TLS."""
        return self._url.startswith("https:")

    @property
    def has_tls_proxy(self) -> bool:
        """Whether the proxy itself is: TLS within TLS is left to the real call."""
        proxy = self._network.proxy
        return proxy is not None and proxy.url.startswith("https:")

    def resolve(self) -> list[str]:
        """Look up the first host on the way.

        Returns:
            Its addresses.

        Raises:
            PlatformUnavailableError: It has none that is known here.
        """
        place = self.first
        try:
            found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise PlatformUnavailableError(
                f"{place.host}: no address is known for that name ({said})", hint=NAME_MEND
            ) from error
        self._addresses = list(dict.fromkeys((str(to[0]), int(to[1])) for *_, to in found))
        return [address for address, _ in self._addresses]

    def connect(self) -> str:
        """Connect to the first host on the way.

        Returns:
            The address that took the connection.

        Raises:
            PlatformUnavailableError: None did.
        """
        failed: OSError | None = None
        for address, port in self._addresses:
            try:
                self._connected = socket.create_connection((address, port), CONNECT_TIMEOUT_S)
            except OSError as error:
                failed = error
                continue
            return address
        raise self._no_connection(failed) from failed

    def open_tunnel(self, proxy: Proxy) -> None:
        """Have the proxy connect to the platform.

        Args:
            proxy: Connected, and spoken to without TLS.

        Raises:
            PlatformUnavailableError: It does not.
        """
        with self._timed() as plain:
            answer = ask_for_tunnel(plain, str(self.platform), proxy.authorization)
        if answer.status == 407:
            raise _wants_password(proxy, str(self.platform), answer)
        if not 200 <= answer.status < 300:
            why = proxy_refuses(answer.status, proxy, str(self.platform), answer.phrase)
            raise PlatformUnavailableError(why.reason, code=why.code, hint=why.hint)
        if answer.is_page:
            raise PlatformUnavailableError(
                f"the proxy {proxy.url} ({proxy.named_by}) answers with a page of its own in place "
                f"of a line to {self.platform}",
                code="E-NET-05",
                hint=PAGE_MEND,
            )

    def shake_hands(self) -> ShownCertificate:
        """Verify the certificate of the platform, or that of a proxy which speaks TLS.

        Raises:
            PlatformUnavailableError: It is not good, or that is no TLS.
        """
        context = self._network.context
        assert context is not None  # noqa: S101 - something on the way speaks TLS
        host = self.first.host if self.has_tls_proxy else self.platform.host
        with self._timed() as plain:
            secure = context.wrap_socket(plain, server_hostname=host)
            self._connected = secure
        return ShownCertificate.of(secure, self._network.ca_file)

    def close(self) -> None:
        """Hang up."""
        if self._connected is not None:
            with suppress(OSError):
                self._connected.close()

    @contextmanager
    def _timed(self) -> Iterator[socket.socket]:
        """The connection, cut when too much time passes, however its other end drips."""
        assert self._connected is not None  # noqa: S101 - the steps are taken in their order
        plain, watch = self._connected, self._watch
        # `ssl` takes the socket away for the handshake; a second handle can still end it.
        with plain.dup() as handle:
            watch.begin(CONNECT_TOTAL_S, 0, 0)
            watch.attach(handle)
            try:
                yield plain
            except OSError as error:
                raise self._told(error, is_late=watch.is_over) from error
            finally:
                watch.end()

    def _told(self, error: OSError, *, is_late: bool) -> PlatformUnavailableError:
        proxy = self._network.proxy
        url = proxy.url if proxy is not None and self.has_tls_proxy else self._url
        if is_late or isinstance(error, TimeoutError):
            limit_s = CONNECT_TOTAL_S if is_late else CONNECT_TIMEOUT_S
            return PlatformUnavailableError(
                f"{self.first}: it takes the connection, and does not answer within {limit_s:g} s"
            )
        why = why_silent(error, url, self._network)
        reason = why.reason if why.is_whole else f"{Place.of(url)}: {why.reason}"
        return PlatformUnavailableError(reason, code=why.code, hint=why.hint)

    def _no_connection(self, error: OSError | None) -> PlatformUnavailableError:
        is_dropped = isinstance(error, TimeoutError)
        said = f"no answer within {CONNECT_TIMEOUT_S:g} s" if is_dropped else _words(error)
        mend = DROPPED_MEND.format(self.first) if is_dropped else CLOSED_MEND
        proxy = self._network.proxy
        if proxy is None:
            return PlatformUnavailableError(f"{self.first} gives no connection: {said}", hint=mend)
        return PlatformUnavailableError(
            f"the proxy {proxy.url} ({proxy.named_by}) gives no connection: {said}",
            code="E-NET-05",
            hint=DROPPED_MEND.format(self.first) if is_dropped else "Is that the right proxy?",
        )


def _words(error: OSError | None) -> str:
    return (error and (error.strerror or str(error))) or "it has no address"


def _wants_password(proxy: Proxy, place: str, answer: TunnelAnswer) -> PlatformUnavailableError:
    why = proxy_refuses(407, proxy, place)
    reason = why.reason
    if answer.offered:
        reason += f" It offers: {', '.join(answer.offered)}"
    hint = ""
    if answer.offered and not any(way.lower() == "basic" for way in answer.offered):
        hint = (
            "This agent can do Basic alone. Ask who runs the proxy for Basic, or to let this host "
            "through without a password."
        )
    return PlatformUnavailableError(reason, code=why.code, hint=hint)
