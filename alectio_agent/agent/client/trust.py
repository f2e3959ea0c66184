"""The one TLS context of an agent: whom it trusts, what it shows, what a refusal looked like."""

import ssl
from collections.abc import Mapping
from typing import Any

from alectio_agent.config.network import TlsSettings
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.setting_error import SettingError
from alectio_agent.core.tls_files import load_identity, read_authorities
from alectio_agent.core.trust_store import find_trust_store

SHOWN = "certificate_shown"
"""Name of what a failed verification carries: the certificate, as `getpeercert` would tell it."""


def make_context(settings: TlsSettings, environment: Mapping[str, str]) -> ssl.SSLContext:
    """A context that verifies; it takes 20 ms to load the system's store, so it is shared.

    Args:
        settings: Section `tls`.
        environment: May name another store than the system's.

    Returns:
        For clients: TLS 1.2 at least, names and dates checked, the same on every Python.

    Raises:
        ConfigError: A file that was named cannot be used.
    """
    context = _bare_context(is_strict=settings.strict)
    find_trust_store(environment).load_into(context)
    try:
        if settings.ca_file is not None:
            context.load_verify_locations(cadata=read_authorities(settings.ca_file))
        if settings.client_cert is not None:
            load_identity(context, settings.client_cert, settings.client_key)
    except (SettingError, OSError) as error:
        raise ConfigError(f"tls: {error}", code="E-CONF-08") from error
    return context


def pinned_context(certificate: str) -> ssl.SSLContext:
    """A context that trusts one certificate and no other.

    Args:
        certificate: In PEM form; shown by the other end itself.

    Raises:
        ConfigError: That is none.
    """
    # It need not follow RFC 5280: not a signature is trusted here, but this very certificate.
    context = _bare_context(is_strict=False)
    try:
        context.load_verify_locations(cadata=certificate)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            "the hub's certificate in hub.json cannot be read", code="E-CONF-08"
        ) from error
    return context


def _bare_context(*, is_strict: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificates and names
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    # Python 3.13 began to set both by default. A CA that was given without the one above it is
    # trusted as it is: who names it in `ca_file` means it.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if is_strict:
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    else:
        context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    context.sslsocket_class = _TellingSocket
    return context


class _TellingSocket(ssl.SSLSocket):
    """A socket whose failed verification tells which certificate was shown."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as in the base class
        """Shake hands; see `SSLSocket`."""
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            setattr(error, SHOWN, self._shown())
            raise

    def _shown(self) -> dict[str, Any]:
        # Only here is a certificate known that did not pass. It is used for words, never for trust;
        # where a Python has no such method the words are fewer.
        ask = getattr(getattr(self, "_sslobj", None), "get_unverified_chain", None)
        chain = ask() if ask is not None else None
        return dict(chain[0].get_info()) if chain else {}
