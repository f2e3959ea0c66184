"""Looks at files of certificates and keys before they are used, and says what is wrong."""

import ssl
from pathlib import Path

from alectio_agent.core.closed_file import OWNER_ONLY, read_closed, read_open
from alectio_agent.core.setting_error import SettingError

LIMIT_BYTES = 16 * 2**20
"""Many times the size of a system's whole store."""
_BEGIN = b"-----BEGIN "
_KEY = b"PRIVATE KEY-----"
_CERTIFICATE = b"CERTIFICATE-----"
_DER = b"\x30\x82"
_UNFIT = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})


class _EncryptedError(Exception):
    """OpenSSL asked for the password of a key."""


def read_authorities(path: Path) -> str:
    """The certificates of a file, as the `ssl` module takes them.

    Args:
        path: Certificates in PEM form, with any text between them.

    Returns:
        The file's text, without what is no ASCII.

    Raises:
        SettingError: It cannot be read, holds no certificate that can be used, or a private key.
    """
    content = read_open(path, LIMIT_BYTES)
    if len(content) > LIMIT_BYTES:
        raise SettingError(f"{path} is larger than {LIMIT_BYTES // 2**20} MiB; expected CAs")
    if _KEY in content:
        raise SettingError(
            f"{path} holds a private key; expected certificates alone: they are handed to the hooks"
        )
    return _certificates(path, content)


def check_identity(certificate: Path, key: Path | None = None, closed_to: int = OWNER_ONLY) -> None:
    """Look whether a certificate and its key can be shown to the other end.

    Args:
        certificate: Certificate, and those between it and its CA, in PEM form.
        key: Its private key, not encrypted; None when it stands in the file of the certificate.
        closed_to: Bits that the mode of the key's file must not have.

    Raises:
        SettingError: A file cannot be read or used, is open to others, or the two do not fit; its
            `key` is `certificate` or `key`.
    """
    secret = key or certificate
    with _about("certificate"):
        content = read_open(certificate, LIMIT_BYTES)
        _certificates(certificate, content)
    with _about("key"):
        if key is None and _KEY not in content:
            raise SettingError(f"missing, and {certificate} holds no private key in PEM form")
    with _about("key" if key else "certificate"):
        _check_key(secret, read_closed(secret, LIMIT_BYTES, closed_to))
    with _about("key" if key else "certificate"):
        _check_pair(certificate, secret)


class _about:  # noqa: N801 - reads as a statement
    """Says which of two files an error is about."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SettingError):
            error.key = self._key


def _certificates(path: Path, content: bytes) -> str:
    if _CERTIFICATE not in content or _BEGIN not in content:
        mend = ""
        if content.startswith(_DER):
            mend = f": openssl x509 -inform der -in {path} -out {path.with_suffix('.pem')}"
        raise SettingError(f"{path} holds no certificate in PEM form{mend}")
    text = content.decode("ascii", "ignore")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise SettingError(
            f"{path} holds a certificate that cannot be read; it was cut or changed"
        ) from error
    return text


def _check_key(path: Path, content: bytes) -> None:
    if _KEY not in content:
        raise SettingError(f"{path} holds no private key in PEM form")
    if b"ENCRYPTED" in content:
        raise _encrypted(path)


def _check_pair(certificate: Path, key: Path) -> None:
    try:
        load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key)
    except _EncryptedError as error:
        raise _encrypted(key) from error
    except ssl.SSLError as error:
        if error.reason in _UNFIT:
            raise SettingError(f"{key} is not the key of {certificate}") from error
        raise SettingError(f"{key} with {certificate} cannot be used ({error.reason})") from error


def load_identity(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Give a context what it shows to the other end.

    Args:
        context: Of a client or server.
        certificate: As for `check_identity`, which has passed it.
        key: As for `check_identity`.

    Raises:
        SSLError: The files have changed since.
    """
    # Without this OpenSSL would ask for the password of an encrypted key on the terminal.
    context.load_cert_chain(certificate, key, password=_no_password)


def _no_password() -> str:
    raise _EncryptedError


def _encrypted(path: Path) -> SettingError:
    return SettingError(
        f"{path} is encrypted, and nobody is there to type its password: openssl pkey -in {path} "
        f"-out PLAIN.key, and chmod 600 PLAIN.key"
    )
