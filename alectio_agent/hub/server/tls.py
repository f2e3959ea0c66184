"""What the hub shows of itself over TLS, looked at before it serves."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.core.closed_file import OWNER_AND_GROUP
from alectio_agent.core.errors import UsageError
from alectio_agent.core.log import printable
from alectio_agent.core.setting_error import SettingError
from alectio_agent.core.tls_files import check_identity, load_identity

CODE = "E-TLS-07"
_END = "-----END CERTIFICATE-----"
_BEGIN = "-----BEGIN CERTIFICATE-----"
_FLAGS = {"certificate": "--certfile", "key": "--keyfile"}
_DATES = {9: "is not yet good; is the clock of this machine right?", 10: "has expired; renew it"}


@dataclass(frozen=True)
class ServerTls:
    """TLS of one hub process.

    Attributes:
        context: Of the server.
        certificate: That it shows, in PEM form, without those above it.
        server_name: A name that it is good for; commands on this machine ask for it.
    """

    context: ssl.SSLContext
    certificate: str
    server_name: str


def make_tls(certfile: Path, keyfile: Path | None) -> ServerTls:
    """Load a certificate and its key, if agents can accept it.

    Args:
        certfile: In PEM form; those between it and its CA may follow.
        keyfile: Its private key; None when it stands in `certfile`.

    Raises:
        UsageError: A file cannot be read or used, the two do not fit, or no agent would accept
            the certificate: it has expired, or has no name.
    """
    try:
        # Servers often share their key with a group, such as Debian's `ssl-cert`.
        check_identity(certfile, keyfile, OWNER_AND_GROUP)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        load_identity(context, certfile, keyfile)
        certificate = _first(certfile.read_text("ascii", "ignore"))
    except SettingError as error:
        raise UsageError(f"{_FLAGS[error.key]}: {error.message}", code=CODE) from error
    except (ssl.SSLError, OSError) as error:
        raise UsageError(f"--certfile {certfile}: {error}", code=CODE) from error
    name = _name(_shown(context, certificate, certfile))
    if not name:
        raise UsageError(
            f"--certfile: {certfile} has no subjectAltName, so no agent would accept it",
            hint="openssl req -addext subjectAltName=DNS:hub.example.org puts one in.",
            code=CODE,
        )
    return ServerTls(context, certificate, name)


def _first(text: str) -> str:
    """The certificate itself: those above it follow."""
    start = text.index(_BEGIN)
    return text[start : text.index(_END, start) + len(_END)] + "\n"


def _shown(context: ssl.SSLContext, certificate: str, file: Path) -> dict[str, Any]:
    """What a client sees, from a handshake in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False  # names are what is asked for here; nothing leaves this process
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=certificate)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server)
    far = context.wrap_bio(to_server, to_client, server_side=True)
    try:
        while True:
            waiting = [end for end in (near, far) if not _has_shaken(end)]
            if not waiting:
                return dict(near.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        said = _DATES.get(error.verify_code, f"cannot be used: {printable(error.verify_message)}")
        raise UsageError(f"--certfile: {file} {said}", code=CODE) from error
    except ssl.SSLError as error:
        raise UsageError(
            f"--certfile: {file} cannot be used ({error.reason})", code=CODE
        ) from error


def _has_shaken(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _name(shown: dict[str, Any]) -> str:
    """A name or address of the certificate; for `*.example.org` one below."""
    for kind, value in shown.get("subjectAltName", ()):
        if kind in ("DNS", "IP Address"):
            return str(value).replace("*", "hub")
    return ""
