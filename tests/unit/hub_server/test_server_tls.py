"""A certificate that no agent would accept is refused before the hub serves."""

from pathlib import Path

import pytest
import trustme

from alectio_agent.core.errors import ExitCode, UsageError
from alectio_agent.hub.server.tls import make_tls
from tests.support.certificates import (
    HOST,
    Files,
    PlainAuthority,
    expired,
    write_leaf,
    write_self_signed,
    write_without_names,
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def good(authority: trustme.CA, tmp_path: Path) -> Files:
    return write_leaf(tmp_path, authority.issue_cert(HOST))


def refusal(certfile: Path, keyfile: Path | None) -> str:
    with pytest.raises(UsageError) as caught:
        make_tls(certfile, keyfile)
    assert (caught.value.code, caught.value.exit_code) == ("E-TLS-07", ExitCode.USAGE)
    return caught.value.message


def test_a_good_pair_gives_the_certificate_and_its_name(good: Files) -> None:
    found = make_tls(*good.pair)
    assert found.server_name == HOST
    assert found.certificate.count("BEGIN CERTIFICATE") == 1
    assert found.certificate.strip() in good.certificate.read_text()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("*.example.org",), "hub.example.org"),
        (("10.1.2.3",), "10.1.2.3"),
        (("::1",), "0:0:0:0:0:0:0:1"),
        (("first.org", "second.org"), "first.org"),
    ],
)
def test_the_name_is_one_that_the_certificate_is_good_for(
    authority: trustme.CA, tmp_path: Path, names: tuple[str, ...], expected: str
) -> None:
    files = write_leaf(tmp_path, authority.issue_cert(*names))
    assert make_tls(*files.pair).server_name == expected


@pytest.mark.parametrize("with_identifiers", [True, False])
def test_certificates_of_internal_authorities_are_good(
    tmp_path: Path, *, with_identifiers: bool
) -> None:
    plain = PlainAuthority(with_identifiers=with_identifiers)
    assert make_tls(*plain.write_leaf(tmp_path, [HOST]).pair).server_name == HOST


def test_a_self_signed_certificate_is_good(tmp_path: Path) -> None:
    assert make_tls(*write_self_signed(tmp_path).pair).server_name == HOST


def test_a_key_may_stand_with_its_certificate(good: Files, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(good.key.read_bytes() + good.certificate.read_bytes())
    both.chmod(0o600)
    assert make_tls(both, None).server_name == HOST


def test_a_key_may_be_shared_with_a_group_and_not_with_all(good: Files) -> None:
    good.key.chmod(0o640)
    assert make_tls(*good.pair).server_name == HOST
    good.key.chmod(0o644)
    said = refusal(*good.pair)
    assert said.startswith(f"--keyfile: {good.key} is open to others (0644)")
    assert "chmod 640" in said


def test_a_missing_file_is_named_with_its_flag(good: Files) -> None:
    assert refusal(Path("/none"), good.key).startswith("--certfile: /none cannot be read (No such")
    assert refusal(good.certificate, Path("/none")).startswith(
        "--keyfile: /none cannot be read (No"
    )
    assert refusal(good.certificate, None).startswith("--keyfile: ")


def test_files_that_were_exchanged_are_named(good: Files) -> None:
    assert "holds no certificate in PEM form" in refusal(good.key, good.certificate)


def test_a_key_that_does_not_fit_is_named(
    authority: trustme.CA, good: Files, tmp_path: Path
) -> None:
    other = write_leaf(tmp_path, authority.issue_cert(HOST), "other")
    said = refusal(good.certificate, other.key)
    assert said == f"--keyfile: {other.key} is not the key of {good.certificate}"


def test_an_encrypted_key_is_refused_without_a_question(good: Files) -> None:
    begin = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
    good.key.write_text(begin)
    assert "is encrypted, and nobody is there to type its password" in refusal(*good.pair)


def test_an_expired_certificate_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    files = write_leaf(tmp_path, expired(authority))
    assert refusal(*files.pair) == f"--certfile: {files.certificate} has expired; renew it"


def test_a_certificate_without_a_name_is_refused(tmp_path: Path) -> None:
    files = write_without_names(tmp_path, PlainAuthority(with_identifiers=True))
    assert "has no subjectAltName, so no agent would accept it" in refusal(*files.pair)
