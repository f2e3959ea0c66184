"""Which hosts are reached without the proxy: suffixes, addresses and networks, as in NO_PROXY."""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

EXPECTED = "expected a host, a suffix such as .example.org, or a network such as 10.0.0.0/8"
_NAME = re.compile(r"(?:\*\.|\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*\.?")
_PORTS = {"http": 80, "https": 443}


def checked_entry(value: str) -> str:
    """One entry of `no_proxy`, if it means something.

    Args:
        value: As written.

    Returns:
        The same.

    Raises:
        ValueError: It cannot match any host; the message says what does.
    """
    if "://" in value:
        raise ValueError(f"{EXPECTED}, without http://")
    if "," in value or len(value.split()) > 1:
        raise ValueError(f"{EXPECTED}; one in each entry of the list")
    if value == "*":
        return value
    host, port = _parted(value)
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"{EXPECTED}; a port is 1 to 65535")
    if _network(host) is not None or (_NAME.fullmatch(host) and not _is_number_like(host)):
        return value
    raise ValueError(EXPECTED)


def entries_of(variable: str) -> tuple[str, ...]:
    """The entries of a NO_PROXY variable; those that make no sense match nothing.

    Args:
        variable: Separated by commas or spaces.
    """
    return tuple(variable.replace(",", " ").split())


def is_spared(url: str, entries: Iterable[str]) -> bool:
    """Whether a URL is reached without the proxy.

    Args:
        url: Of the other end.
        entries: `example.org` (and what is below it), `.example.org`, `*.example.org`, an address
            or network, each with or without `:port`; `*` for everything.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme)
    return any(_matches(entry, host, port) for entry in entries)


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    meant, only_port = _parted(entry)
    if only_port is not None and only_port != port:
        return False
    network = _network(meant)
    if network is not None:
        try:
            return ipaddress.ip_address(host) in network
        except ValueError:
            return False
    suffix = meant.lower().removeprefix("*").strip(".")
    return bool(suffix) and (host == suffix or host.endswith("." + suffix))


def _parted(entry: str) -> tuple[str, int | None]:
    """Host and port; the port is -1 when it is no number."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, _port(rest[1:]) if rest else None
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, _port(port)
    return entry, None


def _port(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


def _network(host: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(host, strict=False)
    except ValueError:
        return None


def _is_number_like(host: str) -> bool:
    """`10.0.0` and `300.1.2.3` are mistyped addresses, not names."""
    return not host.strip("0123456789.")
