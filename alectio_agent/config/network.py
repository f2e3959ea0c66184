"""Sections `proxy` and `tls` of `agent.yaml`: the way out of a site, and whom to trust."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from alectio_agent.config.no_proxy import checked_entry
from alectio_agent.config.proxy_credentials import read_credentials
from alectio_agent.config.section import Section
from alectio_agent.config.values import AbsolutePath, split_url, surroundings
from alectio_agent.core.setting_error import SettingError

NO_PROXY_AT_ALL = "none"
_EXPECTED = f"{NO_PROXY_AT_ALL} or a URL such as http://proxy.example.org:3128"
_IN_FILE = (
    "passwords are never written here: put `user:password` into a file of mode 0600 and name that "
    "file in `proxy.credentials_file`"
)
_ALWAYS = (
    "verification cannot be switched off: for an internal CA name its certificate in "
    "`tls.ca_file`, and set `tls.strict: false` if it has no key identifiers"
)


def proxy_url(value: str) -> str:
    """The URL of a proxy, or `none`.

    Args:
        value: As written.

    Returns:
        The same without a slash at its end.

    Raises:
        ValueError: It is neither.
    """
    if value == NO_PROXY_AT_ALL:
        return value
    if "@" in value:
        # The value itself is not shown: it holds a password, perhaps in a URL that does not parse.
        raise SettingError(f"found a user or password in the URL; {_IN_FILE}")
    parts = split_url(value)
    if parts is not None and parts.scheme.startswith("socks"):
        raise ValueError(f"expected {_EXPECTED}: proxies that speak SOCKS are not supported")
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected {_EXPECTED}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"expected {_EXPECTED}, and nothing behind the port")
    return value.rstrip("/")


ProxyUrl = Annotated[str, AfterValidator(proxy_url), Field(description=_EXPECTED)]
SparedHost = Annotated[str, AfterValidator(checked_entry)]


class ProxySettings(Section):
    """Section `proxy`.

    Attributes:
        url: The proxy; `none` for a direct way whatever the environment says. By default what
            `https_proxy` or `HTTPS_PROXY` says.
        credentials_file: Holds one line, `user:password`, and is closed to others.
        no_proxy: Hosts, suffixes and networks that are reached directly, besides those of NO_PROXY.
    """

    refused_keys: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("user", "username", "password", "credentials", "auth"), _IN_FILE
    )

    url: ProxyUrl | None = None
    credentials_file: AbsolutePath | None = None
    no_proxy: list[SparedHost] = []

    @field_validator("credentials_file", mode="after")
    @classmethod
    def _readable(cls, found: Path | None, info: ValidationInfo) -> Path | None:
        if found is not None and surroundings(info).looks_into_files:
            read_credentials(found)
        return found

    @model_validator(mode="after")
    def _have_a_proxy(self) -> Self:
        if self.url == NO_PROXY_AT_ALL and self.credentials_file is not None:
            raise SettingError(
                f"there is no proxy to show them to: `proxy.url` is {NO_PROXY_AT_ALL}",
                key="credentials_file",
                depends_on=("url",),
            )
        return self


class TlsSettings(Section):
    """Section `tls`.

    Attributes:
        ca_file: Certificates of CAs to trust besides the system's; given to hooks as well.
        strict: Whether certificates must follow RFC 5280 to the letter; `false` accepts an
            internal CA without key identifiers. Names and dates are checked all the same.
        client_cert: Certificate that this agent shows, in PEM form.
        client_key: Its private key, closed to others; None when it stands in `client_cert`.
    """

    refused_keys: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("verify", "insecure", "skip_verify", "check_hostname"), _ALWAYS
    )

    ca_file: AbsolutePath | None = None
    strict: bool = True
    client_cert: AbsolutePath | None = None
    client_key: AbsolutePath | None = None

    @field_validator("ca_file", mode="after")
    @classmethod
    def _holds_authorities(cls, found: Path | None, info: ValidationInfo) -> Path | None:
        if found is not None and surroundings(info).looks_into_files:
            from alectio_agent.core.tls_files import read_authorities  # `ssl` takes 15 ms to load

            read_authorities(found)
        return found

    @model_validator(mode="after")
    def _identity_is_whole(self, info: ValidationInfo) -> Self:
        if self.client_cert is None:
            if self.client_key is not None:
                raise SettingError(
                    "missing; `tls.client_key` is nothing without the certificate it belongs to",
                    key="client_cert",
                    depends_on=("client_key",),
                    missing=True,
                )
            return self
        if surroundings(info).looks_into_files:
            _check_identity(self.client_cert, self.client_key)
        return self


def _check_identity(certificate: Path, key: Path | None) -> None:
    from alectio_agent.core.tls_files import check_identity

    try:
        check_identity(certificate, key)
    except SettingError as error:
        is_about_key = error.key == "key"
        is_missing = is_about_key and key is None
        raise SettingError(
            f"missing; {error.message}" if is_missing else error.message,
            key="client_key" if is_about_key else "client_cert",
            missing=is_missing,
        ) from error
