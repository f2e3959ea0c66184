"""Sections `proxy` and `tls`: right ones load, each wrong file or value is told with its place."""

import os
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec

from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError, ExitCode
from tests.support.certificates import Files, key_pem, write_ca, write_leaf
from tests.support.config_files import AGENT, agent_problems, load_agent

PROXY = AGENT + "proxy:\n"  # the key under test follows in line 6
TLS = AGENT + "tls:\n"


def complaint(text: str) -> str:
    """The one line about a file whose certificates and credentials are looked at."""
    Path("agent.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(Path("agent.yaml"), AgentFile, looks_into_files=True)
    assert caught.value.exit_code == ExitCode.CONFIG
    said = str(caught.value)
    assert "\n" not in said
    return said


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> Files:
    """A certificate and its key, `server.pem` and `server.key` in the working folder."""
    return write_leaf(tmp_path, authority.issue_cert("agent"))


def test_without_the_sections_everything_is_as_the_system_says() -> None:
    found = load_agent(AGENT)
    assert (found.proxy.url, found.proxy.credentials_file, found.proxy.no_proxy) == (None, None, [])
    assert found.tls.strict
    assert (found.tls.ca_file, found.tls.client_cert, found.tls.client_key) == (None, None, None)


@pytest.mark.parametrize("url", ["none", "http://proxy:3128", "https://proxy.example.org"])
def test_a_proxy_is_a_url_or_none(url: str) -> None:
    assert load_agent(f"{PROXY}  url: {url}\n").proxy.url == url


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128",
        "ftp://proxy",
        "http://",
        "http://a b",
        "http://p:x",
        "http://proxy/path",
        "socks5://proxy:1080",
        "http://p:99999",
    ],
)
def test_anything_else_is_no_proxy(url: str) -> None:
    (said,) = agent_problems(f"{PROXY}  url: '{url}'\n")
    assert said.startswith(f"E-CONF-03  agent.yaml:6 proxy.url: found '{url}', expected none or a ")


@pytest.mark.parametrize(
    "url", ["http://me:s3cret@proxy:3128", "http://me:s3/cret@proxy", "me:s3cret@p"]
)
def test_a_password_in_the_url_is_refused_with_the_mend_and_not_repeated(url: str) -> None:
    (said,) = agent_problems(f"{PROXY}  url: '{url}'\n")
    assert said.startswith("E-CONF-03  agent.yaml:6 proxy.url: found a user or password in the URL")
    assert "`proxy.credentials_file`" in said
    assert "s3" not in said


def test_a_password_as_a_key_is_refused_with_the_mend() -> None:
    (said,) = agent_problems(f"{PROXY}  password: s3cret\n")
    assert said.startswith(
        "E-CONF-02  agent.yaml:6 proxy.password: unknown key; passwords are never "
    )


@pytest.mark.parametrize(
    "entry",
    [
        "example.org",
        ".example.org",
        "*.example.org",
        "10.0.0.0/8",
        "10.1.2.3",
        "h:8443",
        "[::1]:443",
        "*",
    ],
)
def test_hosts_without_the_proxy_are_names_suffixes_addresses_or_networks(entry: str) -> None:
    assert load_agent(f"{PROXY}  no_proxy: ['{entry}']\n").proxy.no_proxy == [entry]


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "http://example.org",
        "a,b",
        "a b",
        "10.0.0.0/40",
        "300.1.2.3",
        "host:http",
        "host:0",
        "ex*mple.org",
        "a/b",
    ],
)
def test_an_entry_that_can_match_nothing_is_refused(entry: str) -> None:
    (said,) = agent_problems(f"{PROXY}  no_proxy:\n    - '{entry}'\n")
    assert said.startswith("E-CONF-03  agent.yaml:7 proxy.no_proxy[0]: found ")
    assert "expected a host, a suffix such as .example.org, or a network such as" in said


def test_credentials_for_no_proxy_contradict_it() -> None:
    (said,) = agent_problems(f"{PROXY}  url: none\n  credentials_file: c\n")
    assert said.startswith("E-CONF-06  agent.yaml:7 proxy.credentials_file: there is no proxy")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"me:s3cret\nme2:s3cret\n", "holds more than one line"),
        (b"s3cret\n", "holds something else"),
        (b":s3cret\n", "holds something else"),
        (b"me:\n", "holds something else"),
        (b"me:s3\x00cret", "holds something else"),
        (b"me:s3\xff", "is no text in UTF-8"),
    ],
)
def test_credentials_are_one_line_and_never_repeated(content: bytes, what: str) -> None:
    Path("c").write_bytes(content)
    Path("c").chmod(0o600)
    said = complaint(f"{PROXY}  credentials_file: c\n")
    assert said.startswith(
        f"E-CONF-03  agent.yaml:6 proxy.credentials_file: {Path('c').absolute()}"
    )
    assert f"{what}; expected one line, user:password" in said
    assert "s3" not in said


def test_credentials_that_others_may_read_are_refused() -> None:
    Path("c").write_text("me:s3cret")
    Path("c").chmod(0o640)
    assert "is open to others (0640), and it holds a secret: chmod 600" in complaint(
        f"{PROXY}  credentials_file: c\n"
    )


def test_right_files_load(authority: trustme.CA, files: Files, tmp_path: Path) -> None:
    write_ca(tmp_path, authority)
    Path("c").write_text("me:s3 cret:ü\n")
    Path("c").chmod(0o600)
    text = f"{PROXY}  credentials_file: c\ntls:\n  ca_file: ca.pem\n  client_cert: server.pem\n"
    Path("agent.yaml").write_text(text + "  client_key: server.key\n")
    tls = load(Path("agent.yaml"), AgentFile, looks_into_files=True).tls
    assert tls.ca_file == tmp_path / "ca.pem"
    assert (tls.client_cert, tls.client_key) == files.pair


def test_text_around_the_certificates_of_an_authority_does_no_harm(authority: trustme.CA) -> None:
    Path("ca.pem").write_bytes("# Münster\n".encode() + authority.cert_pem.bytes())
    Path("agent.yaml").write_text(f"{TLS}  ca_file: ca.pem\n")
    assert load(Path("agent.yaml"), AgentFile, looks_into_files=True).tls.ca_file is not None


def test_a_missing_authority_is_told_with_its_line() -> None:
    assert complaint(f"{TLS}  ca_file: none.pem\n") == (
        f"E-CONF-03  agent.yaml:6 tls.ca_file: {Path('none.pem').absolute()} cannot be read "
        "(No such file or directory)"
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "holds no certificate in PEM form"),
        (b"<html>sign in</html>", "holds no certificate in PEM form"),
        (b"\x30\x82\x01\x00", "openssl x509 -inform der -in "),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "it was cut or changed",
        ),
    ],
)
def test_an_authority_file_without_a_certificate_is_refused(content: bytes, what: str) -> None:
    Path("ca.pem").write_bytes(content)
    assert what in complaint(f"{TLS}  ca_file: ca.pem\n")


def test_a_private_key_among_the_authorities_is_refused(authority: trustme.CA) -> None:
    """The file is handed to the hooks."""
    both = authority.cert_pem.bytes() + authority.private_key_pem.bytes()
    Path("ca.pem").write_bytes(both)
    assert "ca.pem holds a private key; expected certificates alone" in complaint(
        f"{TLS}  ca_file: ca.pem\n"
    )


def test_a_folder_or_pipe_is_no_certificate() -> None:
    os.mkfifo("pipe", 0o600)
    assert "is no regular file" in complaint(f"{TLS}  ca_file: pipe\n")
    assert "is no regular file" in complaint(f"{TLS}  ca_file: .\n")


def test_a_key_without_its_certificate_is_half_an_identity() -> None:
    (said,) = agent_problems(f"{TLS}  client_key: server.key\n")
    assert said.startswith("E-CONF-04  agent.yaml:5 tls.client_cert: missing; `tls.client_key` ")


def test_a_certificate_without_a_key_says_where_it_was_looked_for(files: Files) -> None:
    said = complaint(f"{TLS}  client_cert: server.pem\n")
    assert said.startswith("E-CONF-04  agent.yaml:5 tls.client_key: missing; ")
    assert "server.pem holds no private key in PEM form" in said


def test_a_key_that_stands_with_its_certificate_is_found_there(files: Files) -> None:
    Path("both.pem").write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    Path("both.pem").chmod(0o600)
    Path("agent.yaml").write_text(f"{TLS}  client_cert: both.pem\n")
    assert load(Path("agent.yaml"), AgentFile, looks_into_files=True).tls.client_key is None


def identity(key: str = "server.key") -> str:
    return complaint(f"{TLS}  client_cert: server.pem\n  client_key: {key}\n")


def test_a_key_of_another_certificate_is_refused(
    authority: trustme.CA, files: Files, tmp_path: Path
) -> None:
    other = write_leaf(tmp_path, authority.issue_cert("other"), "other")
    said = identity("other.key")
    assert said.startswith("E-CONF-03  agent.yaml:7 tls.client_key: ")
    assert f"{other.key} is not the key of {files.certificate}" in said


def test_a_key_that_others_may_read_is_refused(files: Files) -> None:
    files.key.chmod(0o644)
    assert "server.key is open to others (0644), and it holds a secret: chmod 600" in identity()


def test_an_encrypted_key_is_refused_instead_of_asking_for_its_password(files: Files) -> None:
    files.key.write_bytes(key_pem(ec.generate_private_key(ec.SECP256R1()), b"pass"))
    assert "server.key is encrypted, and nobody is there to type its password" in identity()


def test_a_key_in_the_old_encrypted_form_is_refused_too(files: Files) -> None:
    begin = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
    files.key.write_bytes(begin + b"\nAAAA\n-----END RSA PRIVATE KEY-----\n")
    assert "is encrypted" in identity()


def test_a_broken_key_is_refused(files: Files) -> None:
    files.key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert "cannot be used (" in identity()


def test_a_command_that_stays_on_this_machine_does_not_look_into_the_files() -> None:
    assert load_agent(f"{TLS}  ca_file: none.pem\n").tls.ca_file is not None


@pytest.mark.parametrize("key", ["verify", "insecure"])
def test_verification_cannot_be_switched_off(key: str) -> None:
    (said,) = agent_problems(f"{TLS}  {key}: false\n")
    assert (
        f"tls.{key}: unknown key; verification cannot be switched off: for an internal CA name"
        in said
    )
