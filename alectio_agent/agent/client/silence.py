"""Says in plain words why no answer came: the line, the proxy, or the certificate."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from alectio_agent.agent.client.lateness import Line
from alectio_agent.agent.client.network import Network, Proxy
from alectio_agent.agent.client.tls_words import (
    ENDED_AT_ONCE,
    certificate_words,
    handshake_words,
    is_no_tls,
)
from alectio_agent.core.log import printable

TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}) ?(.*)", re.DOTALL)
_CREDENTIALS = "Name a file with user:password in proxy.credentials_file, mode 0600."
_ENDED = (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError)
"""How the end behind a TLS 1.3 handshake looks when it overtakes the alert that tells of it."""
_OF_THE_FAR_END = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Silence:
    """Why no answer came.

    Attributes:
        reason: In a few words.
        code: Of the message.
        hint: The mend; empty when `reason` says it.
        is_whole: Whether the reason says by itself which end it is about.
    """

    reason: str
    code: str = ""
    hint: str = ""
    is_whole: bool = False


def why_silent(error: BaseException, url: str, network: Network, line: Line = "none") -> Silence:
    """Put what a library raised into words.

    Args:
        error: As raised; its innermost cause says most.
        url: Of the platform.
        network: How it is reached.
        line: The connection that there was.
    """
    chain = list(_causes(error))
    innermost = chain[-1]
    refused = TUNNEL.match(str(innermost)) if isinstance(innermost, OSError) else None
    if refused and network.proxy:
        return proxy_refuses(int(refused[1]), network.proxy, _place(url), refused[2])
    is_proxys = any(isinstance(each, ProxyError) for each in chain)
    where = _place(network.proxy.url if is_proxys and network.proxy else url)
    if isinstance(innermost, ssl.SSLCertVerificationError):
        words = certificate_words(innermost, where, network.ca_file)
        return Silence(words.text, words.code, words.mend, is_whole=True)
    if line == "new" and url.startswith("https:") and isinstance(innermost, _ENDED):
        return Silence(ENDED_AT_ONCE, "E-TLS-06")
    if is_proxys and network.proxy:
        return _of_the_proxy(network.proxy, chain)
    if isinstance(innermost, ssl.SSLEOFError) and line != "none":
        return Silence("it ended the connection")
    if isinstance(innermost, ssl.SSLError):
        words = handshake_words(innermost)
        through = " (reached through the proxy)" if network.proxy and is_no_tls(innermost) else ""
        return Silence(words.text + through, words.code, words.mend)
    return Silence(_few_words(innermost))


def proxy_refuses(status: int, proxy: Proxy, place: str, phrase: str = "") -> Silence:
    """What to say of a proxy that does not let a request through.

    Args:
        status: Of its answer.
        proxy: That gave it.
        place: Host and port that were asked for.
        phrase: Behind the status.
    """
    named = f"the proxy {proxy.url} ({proxy.named_by})"
    if status == 407:
        what = (
            "does not accept the user and password" if proxy.authorization else "wants a password"
        )
        mend = _CREDENTIALS
        if proxy.authorization:
            mend = f"Those of {proxy.password_from} are wrong, or expired; read at each start."
        return Silence(f"{named} {what} (407). {mend}", "E-NET-04", is_whole=True)
    said = printable(f"{status} {phrase}".strip(), 80)
    mend = "Ask who runs it to allow that host; for a direct way: proxy.no_proxy."
    if status in _OF_THE_FAR_END:
        mend = f"Is {place} running, and can the proxy reach it? For a direct way: proxy.no_proxy."
    return Silence(
        f"{named} does not connect to {place}: {said}. {mend}", "E-NET-05", is_whole=True
    )


def _of_the_proxy(proxy: Proxy, chain: list[BaseException]) -> Silence:
    named = f"the proxy {proxy.url} ({proxy.named_by})"
    said = _few_words(chain[-1])
    if any(isinstance(each, NewConnectionError | ConnectTimeoutError) for each in chain):
        return Silence(f"{named} gives no connection: {said}", "E-NET-05", is_whole=True)
    return Silence(f"{named} has cut the line: {said}")  # such as a poll that was silent too long


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    while (cause := error.__cause__ or error.__context__ or _wrapped(error)) is not None:
        error = cause
        yield error


def _wrapped(error: BaseException) -> BaseException | None:
    """What urllib3 keeps of an error of `ssl`: as an argument, not as a cause."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, BaseException) else None


def _few_words(error: BaseException) -> str:
    """Such as `Connection refused`."""
    return printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _place(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or {'https': 443}.get(parts.scheme, 80)}"
