"""The way out of this site: proxies and certificate authorities, read once."""

from collections.abc import Mapping
from dataclasses import dataclass

from requests.utils import should_bypass_proxies

from alectio_agent.config.values import is_loopback


@dataclass(frozen=True)
class Network:
    """How a platform is reached.

    Attributes:
        proxies: Scheme to the URL of a proxy; empty for a direct way.
        ca_file: Certificate authorities in the place of those that `requests` ships.
    """

    proxies: Mapping[str, str]
    ca_file: str | None = None


def read_network(url: str, environment: Mapping[str, str]) -> Network:
    """Look at the environment, so that no later call does.

    Args:
        url: Of the platform.
        environment: For proxy variables and `REQUESTS_CA_BUNDLE`.
    """
    ca_file = environment.get("REQUESTS_CA_BUNDLE") or environment.get("SSL_CERT_FILE")
    return Network(_proxies(url, environment), ca_file)


def _proxies(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The proxies that the environment names for this URL; none for loopback, whatever it says."""
    if is_loopback(url):
        return {}
    # Capitals sort first: a variable in small letters replaces them, as in other programs.
    named = {name.lower(): value for name, value in sorted(environment.items())}
    suffix = "_proxy"
    proxies = {
        name.removesuffix(suffix): value
        for name, value in named.items()
        if name.endswith(suffix) and value
    }
    spared = proxies.pop("no", "")
    return {} if should_bypass_proxies(url, no_proxy=spared) else proxies
