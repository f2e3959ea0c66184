"""What a certificate says that was verified: who has signed it, and when it ends."""

import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from alectio_agent.agent.client.inspection import issuer_of, looks_inspected
from alectio_agent.core.tls_files import read_authorities

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class ShownCertificate:
    """A certificate that passed.

    Attributes:
        issuer: Name of who has signed it.
        ends: When it expires.
        is_by_ca_file: Whether it passed thanks to `tls.ca_file`, not to the system's store.
        is_inspected: Whether a proxy that looks into TLS has made it, by the issuer's name.
        version: Of TLS.
    """

    issuer: str
    ends: datetime
    is_by_ca_file: bool
    is_inspected: bool
    version: str

    @classmethod
    def of(cls, secure: ssl.SSLSocket, ca_file: Path | None) -> Self:
        """Read it from a connection.

        Args:
            secure: Its handshake went well.
            ca_file: Trusted besides the system's store; None for nothing.
        """
        shown: dict[str, Any] = dict(secure.getpeercert() or {})
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
        return cls(
            issuer_of(shown) or "a CA without a name",
            ends,
            ca_file is not None and not _chain(secure).isdisjoint(_authorities(ca_file)),
            looks_inspected(shown),
            secure.version() or "TLS",
        )


def _chain(secure: ssl.SSLSocket) -> set[bytes]:
    # Public from Python 3.13 on; where it is missing nothing is said about whose CA it was.
    ask = getattr(getattr(secure, "_sslobj", None), "get_verified_chain", None)
    chain = ask() if ask is not None else None
    return {ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in chain or ()}


def _authorities(ca_file: Path) -> set[bytes]:
    return {ssl.PEM_cert_to_DER_cert(pem) for pem in _PEM.findall(read_authorities(ca_file))}
