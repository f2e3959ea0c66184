"""Certificates of an authority of the tests' own, good ones and every kind of bad one."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "hub.example.org"
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
"""For certificates that must be good for decades, so only the year counts."""


@dataclass(frozen=True)
class Files:
    """A certificate and its key on disk."""

    certificate: Path
    key: Path

    @property
    def pair(self) -> tuple[Path, Path]:
        return self.certificate, self.key


def write_leaf(folder: Path, leaf: trustme.LeafCert, name: str = "server") -> Files:
    """A certificate of trustme's, with those between it and its CA."""
    files = Files(folder / f"{name}.pem", folder / f"{name}.key")
    files.certificate.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    files.key.write_bytes(leaf.private_key_pem.bytes())
    files.key.chmod(0o600)
    return files


def write_ca(folder: Path, authority: trustme.CA, name: str = "ca.pem") -> Path:
    """The certificate of an authority."""
    authority.cert_pem.write_to_path(folder / name)
    return folder / name


def expired(authority: trustme.CA, host: str = HOST) -> trustme.LeafCert:
    """Good in every way, a year too old."""
    return authority.issue_cert(host, not_before=NOW - 800 * DAY, not_after=NOW - 400 * DAY)


def write_self_signed(folder: Path, hosts: Sequence[str] = (HOST,), name: str = "self") -> Files:
    """A certificate that nobody else vouches for."""
    made = _Maker(_name("self-signed"), with_identifiers=True)
    return made.write(folder, name, made.certificate(hosts))


def write_without_names(folder: Path, authority: "PlainAuthority") -> Files:
    """A certificate that has its host in the common name alone, as before 2017."""
    return authority.write_leaf(folder, (), "nameless", common_name=HOST)


class PlainAuthority:
    """A CA as internal ones are: made by hand, with or without key identifiers."""

    def __init__(self, *, with_identifiers: bool, name: str = "Hospital CA") -> None:
        self._ca = _Maker(_name(name), with_identifiers=with_identifiers)
        self.certificate = self._ca.certificate((), is_ca=True)

    def write(self, folder: Path, name: str = "ca.pem") -> Path:
        (folder / name).write_bytes(_pem(self.certificate))
        return folder / name

    def write_leaf(
        self, folder: Path, hosts: Sequence[str], name: str = "server", common_name: str = "leaf"
    ) -> Files:
        made = _Maker(_name(common_name), with_identifiers=self._ca.with_identifiers)
        return made.write(folder, name, made.certificate(hosts, issuer=self._ca))


class _Maker:
    def __init__(self, subject: x509.Name, *, with_identifiers: bool) -> None:
        self.subject, self.with_identifiers = subject, with_identifiers
        self.key = ec.generate_private_key(ec.SECP256R1())

    def certificate(
        self, hosts: Sequence[str], *, is_ca: bool = False, issuer: "_Maker | None" = None
    ) -> x509.Certificate:
        issuer = issuer or self
        built = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(issuer.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 700 * DAY)
            .not_valid_after(NOW + 30000 * DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if hosts:
            names = [x509.DNSName(host) for host in hosts]
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if is_ca:
            built = built.add_extension(_SIGNS, critical=True)
        if self.with_identifiers:
            own = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
            above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
            built = built.add_extension(own, critical=False).add_extension(above, critical=False)
        return built.sign(issuer.key, hashes.SHA256())

    def write(self, folder: Path, name: str, certificate: x509.Certificate) -> Files:
        files = Files(folder / f"{name}.pem", folder / f"{name}.key")
        files.certificate.write_bytes(_pem(certificate))
        files.key.write_bytes(key_pem(self.key))
        files.key.chmod(0o600)
        return files


_SIGNS = x509.KeyUsage(
    digital_signature=True, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
    encipher_only=False, decipher_only=False,
)  # fmt: skip


def key_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    """A private key in PEM form, encrypted when there is a password."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
