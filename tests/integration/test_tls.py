"""Real TLS: a server whose certificate is not good never sees a byte of HTTP."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.agent.client.transport import HttpTransport, Request
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformUnavailableError
from tests.support.certificates import (
    HOST,
    Files,
    PlainAuthority,
    expired,
    write_ca,
    write_leaf,
    write_self_signed,
    write_without_names,
)
from tests.support.proxies import Manners, Proxy, proxying
from tests.support.tls_server import TlsServer, serving


@dataclass
class Site:
    """A server behind a proxy that leads `https://hub.example.org` to it, and an agent's files."""

    server: TlsServer
    proxy: Proxy
    folder: Path

    def network(self, tls: str = "", environment: Mapping[str, str] | None = None) -> Network:
        text = f"platform: {{url: 'https://{HOST}', token_file: t}}\n"
        text += f"proxy: {{url: '{self.proxy.url}'}}\n"
        file = self.folder / "agent.yaml"
        file.write_text(f"{text}tls: {{{tls}}}\npipelines: {{x: {{hooks: a.py}}}}\n")
        return read_network(f"https://{HOST}", environment or {}, load(file, AgentFile))

    def send(self, tls: str = "", environment: Mapping[str, str] | None = None) -> int:
        network = self.network(tls, environment)
        transport = HttpTransport(f"https://{HOST}", {}, SystemClock(), network=network)
        try:
            return transport.send(Request("GET", "/v1", {"Authorization": "Bearer alt_x"})).status
        finally:
            transport.interrupt()

    def refusal(self, tls: str = "") -> PlatformUnavailableError:
        """Why nothing was sent; that nothing was is looked at here."""
        with pytest.raises(PlatformUnavailableError) as caught:
            self.send(tls)
        assert bytes(self.server.heard) == b""
        return caught.value


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def site(folder: Path, files: Files, wants_client_of: Path | None = None) -> Iterator[Site]:
    with ExitStack() as stack:
        server = stack.enter_context(serving(files, wants_client_of))
        routes = {f"{HOST}:443": ("127.0.0.1", server.port)}
        proxy = stack.enter_context(proxying(Manners(routes)))
        yield Site(server, proxy, folder)


TRUSTED = "ca_file: ca.pem"


@pytest.fixture
def good(authority: trustme.CA, tmp_path: Path) -> Iterator[Site]:
    write_ca(tmp_path, authority)
    with site(tmp_path, write_leaf(tmp_path, authority.issue_cert(HOST))) as found:
        yield found


def test_a_good_certificate_of_an_authority_that_was_added(good: Site) -> None:
    assert good.send(TRUSTED) == 200
    assert good.server.heard.startswith(b"GET /v1 HTTP/1.1")


def test_the_authority_is_added_to_the_systems_store(good: Site) -> None:
    """Both count: a site has internal and public platforms."""
    context = good.network(TRUSTED).context
    assert context is not None
    alone = good.network().context
    assert alone is not None
    assert len(context.get_ca_certs()) == len(alone.get_ca_certs()) + 1 > 10


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_environment_may_name_a_store(good: Site, variable: str) -> None:
    assert good.send(environment={variable: str(good.folder / "ca.pem")}) == 200


def test_an_unknown_authority_is_named_with_the_mend(good: Site) -> None:
    error = good.refusal()
    assert error.code == "E-TLS-01"
    assert f'{HOST}:443 shows a certificate by "Testing CA #' in error.message
    assert "name its file in tls.ca_file. Nothing was sent to it" in error.message


def test_a_wrong_file_of_authorities_is_named(good: Site) -> None:
    """To be told to name a file in `tls.ca_file` is no help to who has done so."""
    other = write_ca(good.folder, trustme.CA(), "other-ca.pem")
    said = good.refusal(f"ca_file: {other}").message
    assert f"which neither the system nor {other} (tls.ca_file) trusts. If that is" in said
    assert "put it into that file" in said


def test_an_unknown_authority_is_unknown_without_strictness_too(good: Site) -> None:
    assert good.refusal("strict: false").code == "E-TLS-01"


@pytest.mark.parametrize("tls", [TRUSTED, f"{TRUSTED}, strict: false"])
def test_a_self_signed_certificate_is_not_trusted(
    authority: trustme.CA, tmp_path: Path, tls: str
) -> None:
    write_ca(tmp_path, authority)
    with site(tmp_path, write_self_signed(tmp_path)) as found:
        error = found.refusal(tls)
    assert error.code == "E-TLS-01"
    assert (
        'shows a self-signed certificate ("self-signed"), which neither the system '
        in error.message
    )


def test_a_self_signed_certificate_may_be_named(tmp_path: Path) -> None:
    with site(tmp_path, write_self_signed(tmp_path)) as found:
        assert found.send("ca_file: self.pem") == 200


@pytest.mark.parametrize("tls", [TRUSTED, f"{TRUSTED}, strict: false"])
def test_a_certificate_for_another_name_is_refused(
    authority: trustme.CA, tmp_path: Path, tls: str
) -> None:
    write_ca(tmp_path, authority)
    files = write_leaf(tmp_path, authority.issue_cert("other.example.org"))
    with site(tmp_path, files) as found:
        error = found.refusal(tls)
    assert error.code == "E-TLS-03"
    assert "shows a certificate for other.example.org, not for that name" in error.message


@pytest.mark.parametrize("tls", [TRUSTED, f"{TRUSTED}, strict: false"])
def test_an_expired_certificate_is_refused(authority: trustme.CA, tmp_path: Path, tls: str) -> None:
    write_ca(tmp_path, authority)
    with site(tmp_path, write_leaf(tmp_path, expired(authority))) as found:
        error = found.refusal(tls)
    assert error.code == "E-TLS-02"
    assert "shows a certificate that is expired (Nov 27 00:00:00 2024 GMT)" in error.message


@pytest.mark.parametrize("strict", ["", ", strict: false"])
def test_a_name_in_the_common_name_alone_does_not_count(tmp_path: Path, strict: str) -> None:
    plain = PlainAuthority(with_identifiers=True)
    plain.write(tmp_path)
    with site(tmp_path, write_without_names(tmp_path, plain)) as found:
        error = found.refusal(TRUSTED + strict)
    assert error.code == "E-TLS-03"
    assert "shows a certificate without a subjectAltName" in error.message


def test_an_authority_without_key_identifiers_passes_only_without_strictness(
    tmp_path: Path,
) -> None:
    """Internal CAs are often made by hand; Python 3.13 began to refuse them."""
    plain = PlainAuthority(with_identifiers=False)
    plain.write(tmp_path)
    with site(tmp_path, plain.write_leaf(tmp_path, [HOST])) as found:
        error = found.refusal(TRUSTED)
        assert error.code == "E-TLS-04"
        assert "tls.strict: false" in error.message
        assert found.send(f"{TRUSTED}, strict: false") == 200


def test_both_ends_show_a_certificate(authority: trustme.CA, tmp_path: Path) -> None:
    ca = write_ca(tmp_path, authority)
    write_leaf(tmp_path, authority.issue_cert("agent"), "agent")
    files = write_leaf(tmp_path, authority.issue_cert(HOST))
    with site(tmp_path, files, wants_client_of=ca) as found:
        identity = "client_cert: agent.pem, client_key: agent.key"
        assert found.send(f"{TRUSTED}, {identity}") == 200


def test_a_server_that_wants_a_certificate_gets_the_key_named(
    authority: trustme.CA, tmp_path: Path
) -> None:
    ca = write_ca(tmp_path, authority)
    files = write_leaf(tmp_path, authority.issue_cert(HOST))
    with site(tmp_path, files, wants_client_of=ca) as found:
        error = found.refusal(TRUSTED)
    assert error.code == "E-TLS-06"
    assert "tls.client_cert" in error.message  # its own words may be lost on the way


def test_a_server_that_does_not_accept_our_certificate_is_named(
    authority: trustme.CA, tmp_path: Path
) -> None:
    write_ca(tmp_path, authority)
    other = write_ca(tmp_path, trustme.CA(), "other.pem")
    write_leaf(tmp_path, authority.issue_cert("agent"), "agent")
    files = write_leaf(tmp_path, authority.issue_cert(HOST))
    with site(tmp_path, files, wants_client_of=other) as found:
        error = found.refusal(f"{TRUSTED}, client_cert: agent.pem, client_key: agent.key")
    assert error.code == "E-TLS-06"
    assert "does not accept the certificate in tls.client_cert" in error.message


def test_one_context_serves_all_transports_and_still_verifies(good: Site) -> None:
    """A library that added CAs, or switched names off, would do so for every part of the agent."""
    network = good.network(TRUSTED)
    context = network.context
    assert context is not None
    count = len(context.get_ca_certs())
    for _ in range(2):
        transport = HttpTransport(f"https://{HOST}", {}, SystemClock(), network=network)
        transport.send(Request("GET", "/v1"))
        transport.interrupt()
    assert len(context.get_ca_certs()) == count
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_an_interrupt_cuts_a_held_request_and_nothing_more_leaves(good: Site) -> None:
    """A TLS socket that is shut down by its own method forgets the encryption first."""
    good.server.is_silent = True
    network = good.network(TRUSTED)
    transport = HttpTransport(f"https://{HOST}", {}, SystemClock(), network=network)
    failures: list[Exception] = []

    def poll() -> None:
        try:
            transport.send(Request("GET", "/", read_timeout_s=50))
        except PlatformUnavailableError as error:
            failures.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    assert good.server.is_asked.wait(10)
    transport.interrupt()
    thread.join(10)
    assert not thread.is_alive()
    assert len(failures) == 1


def test_a_pinned_certificate_is_trusted_and_no_other(
    authority: trustme.CA, tmp_path: Path
) -> None:
    leaf, other = authority.issue_cert(HOST), authority.issue_cert(HOST)
    files = write_leaf(tmp_path, leaf)
    with serving(files) as server:
        for certificate, is_trusted in ((leaf, True), (other, False)):
            network = Network.pinned(certificate.cert_chain_pems[0].bytes().decode(), HOST)
            url = f"https://127.0.0.1:{server.port}"
            transport = HttpTransport(url, {}, SystemClock(), network=network)
            if is_trusted:
                assert transport.send(Request("GET", "/v1")).status == 200
                heard = bytes(server.heard)
            else:
                with pytest.raises(PlatformUnavailableError):
                    transport.send(Request("GET", "/v1"))
                assert bytes(server.heard) == heard
            transport.interrupt()
