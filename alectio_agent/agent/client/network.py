"""The way out of this site: the proxy and the TLS context, made once at the start."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit

from alectio_agent.agent.client.trust import make_context, pinned_context
from alectio_agent.config.network import NO_PROXY_AT_ALL, ProxySettings, TlsSettings
from alectio_agent.config.no_proxy import entries_of, is_spared
from alectio_agent.config.proxy_credentials import read_credentials
from alectio_agent.config.settings import AgentFile
from alectio_agent.config.values import is_loopback
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.setting_error import SettingError

SETTING = "proxy.url"


@dataclass(frozen=True)
class Proxy:
    """A proxy on the way to a platform.

    Attributes:
        url: Without user and password, so that no message can show them.
        named_by: The setting or variable that names it.
        authorization: Value of the header that shows who asks; empty without.
        password_from: The setting or variable that has user and password.
    """

    url: str
    named_by: str
    authorization: str = field(default="", repr=False)
    password_from: str = ""


@dataclass(frozen=True)
class Network:
    """How one platform is reached; shared by all transports of an agent.

    Attributes:
        proxy: On the way; None for a direct one.
        context: Of TLS; None when nothing on the way speaks it.
        server_name: In the certificate, when it is another than in the URL.
        ca_file: What the context trusts besides the system's store; None for nothing.
    """

    proxy: Proxy | None = None
    context: ssl.SSLContext | None = None
    server_name: str = ""
    ca_file: Path | None = None

    @classmethod
    def pinned(cls, certificate: str, server_name: str) -> Self:
        """The way to a hub on this machine whose certificate is known.

        Args:
            certificate: In PEM form; only this one is trusted.
            server_name: A name that it has.

        Raises:
            ConfigError: That is no certificate.
        """
        return cls(None, pinned_context(certificate), server_name)


def read_network(
    url: str, environment: Mapping[str, str], settings: AgentFile | None = None
) -> Network:
    """Look at the settings and the environment, so that no later call does.

    Args:
        url: Of the platform.
        environment: For the variables of proxies and of the store of authorities.
        settings: With the sections `proxy` and `tls`; None for the environment alone.

    Raises:
        ConfigError: A proxy that cannot be used, or a file that cannot be read.
    """
    proxy = _proxy(url, environment, settings.proxy if settings else ProxySettings())
    speaks_tls = any(each.startswith("https:") for each in (url, proxy.url if proxy else ""))
    if not speaks_tls:
        return Network(proxy)
    tls = settings.tls if settings else TlsSettings()
    return Network(proxy, make_context(tls, environment), ca_file=tls.ca_file)


def _proxy(url: str, environment: Mapping[str, str], settings: ProxySettings) -> Proxy | None:
    if is_loopback(url) or settings.url == NO_PROXY_AT_ALL:
        return None
    spared = (*settings.no_proxy, *entries_of(_variable(environment, "no_proxy")[1]))
    if is_spared(url, spared):
        return None
    found = _from_environment(url, environment) if settings.url is None else None
    if settings.url is not None:
        found = Proxy(settings.url, SETTING)
    if found is None or settings.credentials_file is None:
        return found
    try:
        said = _basic(*read_credentials(settings.credentials_file))
    except SettingError as error:
        raise ConfigError(f"proxy.credentials_file: {error.message}", code="E-CONF-08") from error
    return Proxy(found.url, found.named_by, said, "proxy.credentials_file")


def _from_environment(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy that the variables name for the scheme of a URL."""
    for wanted in (f"{urlsplit(url).scheme}_proxy", "all_proxy"):
        name, value = _variable(environment, wanted)
        if value:
            return _parsed(name, value if "://" in value else f"http://{value}")
    return None


def _parsed(name: str, value: str) -> Proxy:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"${name} names no proxy that can be used; expected http://HOST:PORT or https://",
            hint="Set proxy.url in agent.yaml: to another proxy, or to none for a direct way.",
            code="E-CONF-08",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    said = ""
    if parts.username:
        said = _basic(unquote(parts.username), unquote(parts.password or ""))
    return Proxy(urlunsplit((parts.scheme, place, "", "", "")), f"${name}", said, f"${name}")


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable in small letters counts before the same in capitals, even when it is empty."""
    for each in (name, name.upper()):
        if each in environment:
            return each, environment[each].strip()
    return name, ""


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")
