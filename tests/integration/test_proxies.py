"""Proxies as companies have them: each is passed, or named with what to do about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from alectio_agent.agent.client.network import read_network
from alectio_agent.agent.client.transport import HttpTransport, Request, Response
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import PlatformUnavailableError
from tests.support.certificates import HOST, write_ca, write_leaf
from tests.support.proxies import PAGE, Manners, Proxy, page, proxying
from tests.support.tls_server import TlsServer, serving

SECURE, PLAIN = f"https://{HOST}", f"http://{HOST}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    folder = tmp_path_factory.mktemp("server")
    authority = trustme.CA()
    write_ca(folder, authority)
    with serving(write_leaf(folder, authority.issue_cert(HOST))) as found:
        found.ca = folder / "ca.pem"
        yield found


@pytest.fixture
def proxy(server: TlsServer) -> Iterator[Proxy]:
    with proxying(Manners({f"{HOST}:443": ("127.0.0.1", server.port)})) as found:
        yield found


class Line:
    """A transport through a proxy, with credentials or without."""

    def __init__(self, folder: Path, proxy: Proxy, ca: Path, credentials: str = "") -> None:
        named = f"proxy:\n  url: {proxy.url}\n"
        if credentials:
            (folder / "credentials").write_text(credentials, encoding="utf-8")
            (folder / "credentials").chmod(0o600)
            named += "  credentials_file: credentials\n"
        (folder / "agent.yaml").write_text(
            f"{named}tls: {{ca_file: '{ca}'}}\npipelines: {{x: {{hooks: a.py}}}}\n"
            "experiment: experiment.yaml\n"
        )
        self._settings = load(folder / "agent.yaml", AgentFile)

    def send(self, url: str, request: Request | None = None) -> Response:
        network = read_network(url, {}, self._settings)
        transport = HttpTransport(url, {}, SystemClock(), network=network)
        try:
            return transport.send(request or Request("GET", "/v1"))
        finally:
            transport.interrupt()

    def refusal(self, url: str) -> PlatformUnavailableError:
        with pytest.raises(PlatformUnavailableError) as caught:
            self.send(url)
        return caught.value


@pytest.fixture
def line(tmp_path: Path, proxy: Proxy, server: TlsServer) -> Line:
    return Line(tmp_path, proxy, server.ca)


def test_a_tunnel_leads_to_the_platform(line: Line, proxy: Proxy) -> None:
    assert line.send(SECURE).status == 200
    assert proxy.asked == [f"CONNECT {HOST}:443"]


def test_a_proxy_with_a_password_gets_it_and_the_platform_does_not(
    tmp_path: Path, proxy: Proxy, server: TlsServer
) -> None:
    """Passwords of people hold more than ASCII, and characters that a URL could not."""
    proxy.manners.password = "jürgen:p@ss:w/rd#€"
    server.heard.clear()
    assert Line(tmp_path, proxy, server.ca, "jürgen:p@ss:w/rd#€\n").send(SECURE).status == 200
    assert b"Proxy-Authorization" not in server.heard


@pytest.mark.parametrize("url", [SECURE, PLAIN])
def test_a_proxy_that_wants_a_password_is_named_with_the_mend(
    line: Line, proxy: Proxy, url: str
) -> None:
    proxy.manners.password = "me:s3cret"
    error = line.refusal(url)
    assert error.code == "E-NET-04"
    assert error.message == (
        f"the proxy {proxy.url} (proxy.url) wants a password (407). Name a file with "
        "user:password in proxy.credentials_file, mode 0600."
    )


@pytest.mark.parametrize("url", [SECURE, PLAIN])
def test_a_wrong_password_is_named_and_not_shown(
    tmp_path: Path, proxy: Proxy, server: TlsServer, url: str
) -> None:
    proxy.manners.password = "me:s3cret"
    error = Line(tmp_path, proxy, server.ca, "me:wr0ng").refusal(url)
    assert error.code == "E-NET-04"
    assert "does not accept the user and password (407)" in error.message
    assert "wr0ng" not in str(error) + repr(error.__cause__)


@pytest.mark.parametrize("status", ["403 Forbidden", "502 Bad Gateway", "503 Busy"])
def test_a_proxy_that_does_not_connect_is_named_with_its_answer(
    line: Line, proxy: Proxy, status: str
) -> None:
    proxy.manners.answers = page(status)
    error = line.refusal(SECURE)
    assert error.code == "E-NET-05"
    assert f"the proxy {proxy.url} (proxy.url) does not connect to {HOST}:443: {status}." in (
        error.message
    )


def test_a_proxy_that_answers_for_the_platform_is_not_believed(line: Line, proxy: Proxy) -> None:
    """It says 200 to CONNECT, and sends its own page instead of a TLS handshake."""
    proxy.manners.answers = b"HTTP/1.1 200 OK\r\n\r\n" + page("200 OK")
    error = line.refusal(SECURE)
    assert error.code == "E-TLS-05"
    assert "instead of a TLS handshake (reached through the proxy)" in error.message


def test_a_proxys_page_instead_of_the_platforms_answer_comes_back_as_it_is(
    line: Line, proxy: Proxy
) -> None:
    """What it means is decided where answers are read: it is no verdict of the platform."""
    proxy.manners.answers = page("200 OK")
    answer = line.send(PLAIN)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
    assert answer.body == PAGE


def test_a_proxy_that_is_not_there_is_named(tmp_path: Path, server: TlsServer) -> None:
    with proxying() as gone:
        pass
    error = Line(tmp_path, gone, server.ca).refusal(SECURE)
    assert error.code == "E-NET-05"
    assert f"the proxy {gone.url} (proxy.url) gives no connection: " in error.message
    assert "refused" in error.message


def test_a_proxy_that_speaks_tls_is_verified_like_a_platform(tmp_path: Path) -> None:
    """It is shown the password, so it must be the right one."""
    authority = trustme.CA()
    ca = write_ca(tmp_path, authority)
    for host, is_good in (("localhost", True), ("other.example.org", False)):
        files = write_leaf(tmp_path, authority.issue_cert(host), host)
        with proxying(Manners(answers=page("200 OK")), files) as proxy:
            proxy.url = f"https://localhost:{proxy.port}"
            line = Line(tmp_path, proxy, ca, "me:s3cret")
            if is_good:
                assert line.send(PLAIN).body == PAGE
                continue
            error = line.refusal(PLAIN)
            assert error.code == "E-TLS-03"
            assert f"localhost:{proxy.port} shows a certificate for {host}" in error.message
            assert proxy.asked == []


def test_a_held_request_that_the_proxy_cuts_is_no_answer_and_the_next_one_goes(
    tmp_path: Path, line: Line, proxy: Proxy
) -> None:
    """Proxies end what is silent for some seconds: a poll must be tried again."""
    with proxying() as upstream:  # any server of plain http will do
        upstream.manners.answers = page("200 OK")
        port = int(upstream.url.rpartition(":")[2])
        proxy.manners.routes[f"{HOST}:80"] = ("127.0.0.1", port)
        proxy.manners.cuts = lambda head: b"/v1/claims" in head and upstream.heard.wait(30)
        with pytest.raises(PlatformUnavailableError) as caught:
            line.send(PLAIN, Request("POST", "/v1/claims", body=b"{}"))
        assert caught.value.code == "E-NET-01"
        assert upstream.asked == ["POST /v1/claims"]  # it had arrived: only the answer was cut
        assert line.send(PLAIN, Request("POST", "/v1/agents", body=b"{}")).status == 200


def test_a_limit_on_bodies_comes_back_as_its_status(line: Line, proxy: Proxy) -> None:
    """Whoever sends slices halves them then; smaller bodies pass."""
    with proxying() as upstream:
        upstream.manners.answers = page("200 OK")
        port = int(upstream.url.rpartition(":")[2])
        proxy.manners.routes[f"{HOST}:80"] = ("127.0.0.1", port)
        proxy.manners.limit_bytes = 100_000
        large = Request("PUT", "/v1/jobs/j/parts/s", body=bytes(100_001))
        assert line.send(PLAIN, large).status == 413
        small = Request("PUT", "/v1/jobs/j/parts/s", body=bytes(100_000))
        assert line.send(PLAIN, small).status == 200
