"""`check` names the one thing that is wrong; each is made for real, and nothing is patched."""

import json
import os
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import venv
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from click.testing import CliRunner

from alectio_agent.cli.main import main
from tests.support.certificates import (
    HOST,
    Files,
    PlainAuthority,
    expired,
    write_ca,
    write_leaf,
    write_self_signed,
)
from tests.support.fronts import front, server_context
from tests.support.hub_process import AGENT, OPERATOR, listening_socket
from tests.support.hub_thread import ForwardClock, hub_in_thread
from tests.support.projects import HOOKS
from tests.support.proxies import Manners, page, proxying
from tests.support.small_disks import fill_disk, remount, small_disk
from tests.support.tls_server import serving
from tests.support.wicked_servers import WickedServer, say, whole

CLEAR = "allow_insecure_http: true"
ENVIRONMENT = {
    name: None
    for scheme in ("http", "https", "all", "no")
    for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
}


@dataclass
class Found:
    """What one `check` said."""

    code: int
    checks: dict[str, dict[str, Any]]
    order: list[str] = field(default_factory=list)

    @property
    def failed(self) -> dict[str, str]:
        """The first line of what is wrong, by check."""
        return {
            name: check["problems"][0].split("\n")[0]
            for name, check in self.checks.items()
            if check["state"] == "failed"
        }

    def only(self, name: str, code: str) -> str:
        """The one failure: what comes behind it is not tried, and no failure as well."""
        assert list(self.failed) == [name], self.failed
        assert self.checks[name]["codes"][0] == code, self.failed
        assert self.code == 3
        return str(self.checks[name]["problems"][0])

    def warned(self, name: str) -> str:
        assert (self.code, self.failed) == (0, {}), self.failed
        assert self.checks[name]["state"] == "warn", self.checks[name]
        return str(self.checks[name]["problems"][0])

    def not_tried(self) -> list[str]:
        """Checks that were left out because of another."""
        skipped = [name for name in self.order if self.checks[name]["state"] == "skipped"]
        assert all(self.checks[name]["said"].startswith("not tried: ") for name in skipped)
        return skipped


@dataclass
class Site:
    """An agent's configuration, in a folder of its own."""

    folder: Path

    def write(self, url: str, *more: str, token: str = AGENT, pipeline: str = "") -> None:
        """`more` stands at the top level of agent.yaml, one section a line."""
        (self.folder / "token").write_text(token)
        (self.folder / "token").chmod(0o600)
        (self.folder / "processes.py").write_text(HOOKS)
        clear = f", {CLEAR}" if url.startswith("http:") else ""
        lines = [
            f"platform: {{url: '{url}', token_file: token{clear}}}",
            f"pipelines: {{toy: {{hooks: processes.py, pool_size: 60{pipeline}}}}}",
            "claim: {min_free_disk: 0}",
            *more,
        ]
        (self.folder / "agent.yaml").write_text("\n".join(lines) + "\n")

    def check(self, *words: str, environment: dict[str, str] | None = None) -> Found:
        asked = ["check", "--json", "--here", "--hold", "1s", *words]
        ran = CliRunner().invoke(
            main, [*asked, "--config", str(self.folder / "agent.yaml")],
            env={**ENVIRONMENT, **(environment or {})},
        )  # fmt: skip
        assert isinstance(ran.exception, SystemExit | None), ran.exception
        listed = json.loads(ran.stdout)
        names = [check["check"] for check in listed]
        assert len(set(names)) == len(names)
        return Found(ran.exit_code, {check["check"]: check for check in listed}, names)


@dataclass
class Platform:
    """A real hub."""

    url: str
    port: int
    clock: ForwardClock

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {OPERATOR}", "Alectio-Protocol": "1"}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def token(self, name: str, **more: Any) -> str:
        said = {"name": name, "scope": "agent", **more}
        return str(self.ask("POST", "/v1/tokens", said)["token"])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("hub")
    with listening_socket() as listening, hub_in_thread(folder / "data", listening) as clock:
        port = listening.getsockname()[1]
        yield Platform(f"http://127.0.0.1:{port}", port, clock)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def leaf(folder: Path, authority: trustme.CA, host: str = "localhost") -> Files:
    return write_leaf(folder, authority.issue_cert(host))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class TestAWholeWay:
    """What must be fine first, or nothing below would mean anything."""

    def test_all_is_well_through_tls_and_a_ca_of_the_site(
        self, hub: Platform, site: Site, authority: trustme.CA, opened: ExitStack
    ) -> None:
        context = server_context(leaf(site.folder, authority))
        server = opened.enter_context(WickedServer(front(hub.port, context)))
        ca = write_ca(site.folder, authority)
        token = hub.token("whole", expires_s=90 * 86400)
        site.write(f"https://localhost:{server.port}", f"tls: {{ca_file: '{ca}'}}", token=token)
        found = site.check()
        assert (found.code, found.failed, found.not_tried()) == (0, {}, [])
        assert {check["state"] for check in found.checks.values()} == {"ok"}
        said = {name: check["said"] for name, check in found.checks.items()}
        assert "localhost is 127.0.0.1" in said["dns"] or "localhost is ::1" in said["dns"]
        assert said["proxy"] == "a direct way (on this machine)"
        assert '" of tls.ca_file, good until 3000-01-01' in said["tls"]
        assert said["clock"] == "as the platform's, within seconds"
        assert "taken, scope agent, good until" in said["token"]
        assert re.match(r"a part of \d\.0 MiB arrived whole \(.+/s\)", said["upload"])
        assert re.fullmatch(r"held for \d+\.\d s, as asked", said["long poll"])

    def test_no_agent_comes_of_it_and_no_job_is_taken(self, hub: Platform, site: Site) -> None:
        """An agent of the same folder works on: nobody has registered in its place."""
        before = hub.ask("GET", "/v1/agents"), hub.ask("GET", "/v1/jobs")
        site.write(hub.url)
        files = sorted(site.folder.rglob("*"))
        assert site.check().failed == {}
        assert (hub.ask("GET", "/v1/agents"), hub.ask("GET", "/v1/jobs")) == before
        assert sorted(site.folder.rglob("*")) == files

    def test_a_proxy_connects_and_looks_up_the_name(
        self, hub: Platform, site: Site, authority: trustme.CA, opened: ExitStack
    ) -> None:
        """The platform's name is known to the proxy alone."""
        context = server_context(leaf(site.folder, authority, HOST))
        server = opened.enter_context(WickedServer(front(hub.port, context)))
        routes = {f"{HOST}:443": ("127.0.0.1", server.port)}
        proxy = opened.enter_context(proxying(Manners(routes, password="me:secret")))
        ca = write_ca(site.folder, authority)
        site.write(f"https://{HOST}", f"tls: {{ca_file: '{ca}'}}")
        way = f"http://me:secret@127.0.0.1:{proxy.port}"
        found = site.check(environment={"https_proxy": way})
        assert (found.code, found.failed) == (0, {})
        assert "secret" not in json.dumps(found.checks)
        assert found.checks["dns"]["said"].endswith("(the proxy looks up the platform)")
        assert found.checks["proxy"]["said"].startswith(f"{proxy.url} ($https_proxy) connects to")


class TestTheWay:
    def test_a_name_that_nobody_knows(self, site: Site) -> None:
        site.write("https://nowhere.invalid")
        found = site.check()
        assert "nowhere.invalid: no address is known" in found.only("dns", "E-NET-01")
        assert found.not_tried() == [
            "tcp", "proxy", "tls", "platform", "clock", "token", "upload", "long poll",
        ]  # fmt: skip
        assert found.checks["tcp"]["said"] == "not tried: dns must be mended first"

    def test_a_port_at_which_nothing_listens(self, site: Site) -> None:
        port = closed_port()
        site.write(f"https://localhost:{port}")
        told = site.check().only("tcp", "E-NET-01")
        assert f"localhost:{port} gives no connection: Connection refused" in told

    def test_a_proxy_that_is_not_there(self, site: Site) -> None:
        port = closed_port()
        site.write(f"https://{HOST}", f"proxy: {{url: 'http://127.0.0.1:{port}'}}")
        told = site.check().only("tcp", "E-NET-05")
        assert f"the proxy http://127.0.0.1:{port} (proxy.url) gives no connection" in told

    def through(self, site: Site, opened: ExitStack, manners: Manners, more: str = "") -> Found:
        proxy = opened.enter_context(proxying(manners))
        site.write(f"https://{HOST}", f"proxy: {{url: '{proxy.url}'{more}}}")
        return site.check()

    def test_a_proxy_that_wants_a_password(self, site: Site, opened: ExitStack) -> None:
        asks = page("407 Proxy Authentication Required").replace(
            b"\r\n\r\n", b"\r\nProxy-Authenticate: Basic realm=x\r\n\r\n", 1
        )
        told = self.through(site, opened, Manners(answers=asks)).only("proxy", "E-NET-04")
        assert "(proxy.url) wants a password (407)" in told
        assert "It offers: Basic" in told

    def test_a_proxy_whose_way_to_sign_in_is_not_known(self, site: Site, opened: ExitStack) -> None:
        asks = page("407 Proxy Authentication Required").replace(
            b"\r\n\r\n",
            b"\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n", 1,
        )  # fmt: skip
        told = self.through(site, opened, Manners(answers=asks)).only("proxy", "E-NET-04")
        assert "It offers: Negotiate, NTLM" in told
        assert "This agent can do Basic alone" in told

    def test_a_wrong_password_for_the_proxy(self, site: Site, opened: ExitStack) -> None:
        (site.folder / "credentials").write_text("me:wrong")
        (site.folder / "credentials").chmod(0o600)
        more = ", credentials_file: credentials"
        found = self.through(site, opened, Manners(password="me:right"), more)
        told = found.only("proxy", "E-NET-04")
        assert "does not accept the user and password (407)" in told
        assert "proxy.credentials_file" in told
        assert "wrong" not in told.replace("are wrong", "")

    def test_a_proxy_that_forbids_the_host(self, site: Site, opened: ExitStack) -> None:
        found = self.through(site, opened, Manners(answers=page("403 Forbidden")))
        told = found.only("proxy", "E-NET-05")
        assert f"does not connect to {HOST}:443: 403 Forbidden" in told

    def test_a_proxy_that_does_not_reach_the_platform(self, site: Site, opened: ExitStack) -> None:
        routes = {f"{HOST}:443": ("127.0.0.1", closed_port())}
        told = self.through(site, opened, Manners(routes)).only("proxy", "E-NET-05")
        assert "502 Bad Gateway" in told
        assert "can the proxy reach it?" in told

    def test_a_page_in_place_of_a_tunnel(self, site: Site, opened: ExitStack) -> None:
        found = self.through(site, opened, Manners(answers=page("200 OK")))
        assert "answers with a page of its own" in found.only("proxy", "E-NET-05")

    def test_a_proxy_that_is_none(self, site: Site, opened: ExitStack) -> None:
        found = self.through(site, opened, Manners(answers=b"SSH-2.0-OpenSSH_9\r\n"))
        assert "SSH-2.0-OpenSSH_9; expected HTTP" in found.only("proxy", "E-NET-01")

    def test_a_variable_that_names_no_proxy_that_can_be_used(self, site: Site) -> None:
        site.write(f"https://{HOST}")
        found = site.check(environment={"https_proxy": "socks5://127.0.0.1:1"})
        assert "$https_proxy names no proxy that can be used" in found.only("proxy", "E-CONF-08")


class TestTls:
    def shown(self, site: Site, opened: ExitStack, files: Files, *more: str) -> Found:
        server = opened.enter_context(serving(files))
        site.write(f"https://localhost:{server.port}", *more)
        found = site.check()
        assert bytes(server.heard) == b"", "not a byte of HTTP"
        return found

    def test_a_ca_that_nobody_trusts(self, site: Site, opened: ExitStack) -> None:
        unknown = PlainAuthority(with_identifiers=True)
        found = self.shown(site, opened, unknown.write_leaf(site.folder, ("localhost",)))
        told = found.only("tls", "E-TLS-01")
        assert 'shows a certificate by "Hospital CA", which the system does not trust' in told
        assert "tls.ca_file" in told

    def test_a_proxy_that_looks_into_tls(self, site: Site, opened: ExitStack) -> None:
        name = "Zscaler Intermediate Root CA"
        inspector = PlainAuthority(with_identifiers=True, name=name)
        found = self.shown(site, opened, inspector.write_leaf(site.folder, ("localhost",)))
        told = found.only("tls", "E-TLS-01")
        assert '"Zscaler Intermediate Root CA" (by that name a TLS-inspecting proxy)' in told

    def test_another_ca_than_that_of_ca_file(
        self, site: Site, authority: trustme.CA, opened: ExitStack
    ) -> None:
        other = write_ca(site.folder, trustme.CA())
        found = self.shown(
            site, opened, leaf(site.folder, authority), f"tls: {{ca_file: '{other}'}}"
        )
        told = found.only("tls", "E-TLS-01")
        assert f"neither the system nor {other} (tls.ca_file) trusts" in told

    def test_a_certificate_that_has_expired(
        self, site: Site, authority: trustme.CA, opened: ExitStack
    ) -> None:
        files = write_leaf(site.folder, expired(authority, "localhost"))
        ca = write_ca(site.folder, authority)
        found = self.shown(site, opened, files, f"tls: {{ca_file: '{ca}'}}")
        assert "shows a certificate that is expired" in found.only("tls", "E-TLS-02")

    def test_a_certificate_for_another_name(
        self, site: Site, authority: trustme.CA, opened: ExitStack
    ) -> None:
        ca = write_ca(site.folder, authority)
        found = self.shown(
            site, opened, leaf(site.folder, authority, HOST), f"tls: {{ca_file: '{ca}'}}"
        )
        assert f"shows a certificate for {HOST}, not for" in found.only("tls", "E-TLS-03")

    def test_a_certificate_that_nobody_has_signed(self, site: Site, opened: ExitStack) -> None:
        found = self.shown(site, opened, write_self_signed(site.folder, ("localhost",)))
        assert "shows a self-signed certificate" in found.only("tls", "E-TLS-01")

    def test_an_internal_ca_without_key_identifiers(self, site: Site, opened: ExitStack) -> None:
        plain = PlainAuthority(with_identifiers=False)
        files, ca = plain.write_leaf(site.folder, ("localhost",)), plain.write(site.folder)
        found = self.shown(site, opened, files, f"tls: {{ca_file: '{ca}'}}")
        assert "tls.strict: false" in found.only("tls", "E-TLS-04")

    def test_a_tls_that_is_too_old(
        self, site: Site, authority: trustme.CA, opened: ExitStack
    ) -> None:
        context = server_context(leaf(site.folder, authority))
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):  # that it is old is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        server = opened.enter_context(WickedServer(front(1, context)))
        site.write(f"https://localhost:{server.port}")
        assert "speaks no TLS as new as 1.2" in site.check().only("tls", "E-TLS-05")

    def test_plain_http_at_a_port_for_https(self, site: Site, hub: Platform) -> None:
        site.write(f"https://localhost:{hub.port}")
        told = site.check().only("tls", "E-TLS-05")
        assert "that port speaks no TLS" in told
        assert "http://... instead of https://" in told

    def test_a_certificate_of_the_agent_that_is_wanted(
        self, site: Site, authority: trustme.CA, opened: ExitStack
    ) -> None:
        """With TLS 1.3 the other end says so after the handshake: the call hears of it."""
        ca = write_ca(site.folder, authority)
        server = opened.enter_context(serving(leaf(site.folder, authority), ca))
        site.write(f"https://localhost:{server.port}", f"tls: {{ca_file: '{ca}'}}")
        assert "tls.client_cert" in site.check().only("platform", "E-TLS-06")


PLATFORM = {"platform_id": "p1", "version": "0.0.1", "scope": "agent"}


def greeting(**headers: str) -> bytes:
    """A platform of another make, which says who it is."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    return whole(json.dumps(PLATFORM).encode()).replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n", 1)


class TestThePlatform:
    def test_a_server_that_is_no_platform(self, site: Site, opened: ExitStack) -> None:
        nothing = whole(b"<h1>Not Found</h1>", status="404 Not Found", media_type="text/html")
        server = opened.enter_context(WickedServer(say(nothing)))
        site.write(server.url)
        told = site.check().only("platform", "E-NET-02")
        assert "HTTP 404 that is not the platform's" in told

    def test_a_page_of_a_proxy_in_place_of_the_platform(
        self, site: Site, opened: ExitStack
    ) -> None:
        proxy = opened.enter_context(proxying(Manners(answers=page("200 OK"))))
        site.write(f"http://{HOST}", f"proxy: {{url: '{proxy.url}'}}")
        told = site.check().only("platform", "E-NET-02")
        assert "HTTP 200 that is not the platform's" in told
        assert "sign-in page" in told

    def test_a_platform_of_another_protocol(self, site: Site, opened: ExitStack) -> None:
        body = {"type": "unsupported-protocol", "status": 426, "title": "no", "min": 3, "max": 4}
        newer = whole(
            json.dumps(body).encode(),
            status="426 Upgrade Required", media_type="application/problem+json",
        )  # fmt: skip
        server = opened.enter_context(WickedServer(say(newer)))
        site.write(server.url)
        told = site.check().only("platform", "E-HUB-06")
        assert "speaks protocols 3 to 4, this agent speaks 1" in told
        assert "Update the agent" in told

    @pytest.mark.parametrize(("hours", "side"), [(5, "behind"), (-5, "ahead of")])
    def test_a_clock_that_is_off_by_hours(
        self, site: Site, opened: ExitStack, hours: int, side: str
    ) -> None:
        def answer(connection: socket.socket) -> None:
            while connection.recv(65536):
                dated = datetime.now(UTC) + timedelta(hours=hours)
                connection.sendall(greeting(Date=format_datetime(dated, usegmt=True)))

        server = opened.enter_context(WickedServer(answer))
        site.write(server.url)
        found = site.check()
        assert f"this machine is 5 h 0 min {side} the platform" in found.failed["clock"]
        assert (found.code, found.checks["clock"]["codes"]) == (3, ["E-NET-06"])

    def test_the_hub_tells_its_time(self, site: Site, hub: Platform) -> None:
        site.write(hub.url)
        hub.clock.ahead_s += 7200
        try:
            assert "2 h 0 min behind" in site.check().only("clock", "E-NET-06")
        finally:
            hub.clock.ahead_s -= 7200

    def test_an_older_platform_is_no_failure(self, site: Site, opened: ExitStack) -> None:
        """It has no call to try the line with; jobs run there all the same."""
        gone = {"type": "not-found", "status": 404, "title": "no", "detail": "this hub has no PUT"}
        older = whole(
            json.dumps(gone).encode(),
            status="404 Not Found", media_type="application/problem+json",
        )  # fmt: skip

        def answer(connection: socket.socket) -> None:
            while head := connection.recv(65536):
                connection.sendall(greeting() if head.startswith(b"GET") else older)

        server = opened.enter_context(WickedServer(answer))
        site.write(server.url)
        found = site.check()
        assert "older than this agent" in found.warned("upload")
        assert "older than this agent" in found.warned("long poll")
        assert found.checks["clock"]["state"] == "skipped"


class TestTheToken:
    def refused(self, site: Site, hub: Platform, token: str, code: str) -> str:
        site.write(hub.url, token=token)
        found = site.check()
        assert found.checks["platform"]["said"] == f"{hub.url} answers, and refuses the token"
        assert found.not_tried() == ["upload", "long poll"]
        return found.only("token", code)

    def test_one_that_is_not_known(self, site: Site, hub: Platform) -> None:
        told = self.refused(site, hub, "alt_unknown", "E-AUTH-04")
        assert f"It was read from {site.folder}/token. On the hub's machine" in told
        assert told.endswith(f"Here: alectio-agent enroll {hub.url}")

    def test_one_that_was_revoked(self, site: Site, hub: Platform) -> None:
        token = hub.token("gone")
        hub.ask("POST", "/v1/tokens/gone/revoke")
        assert "the token gone was revoked" in self.refused(site, hub, token, "E-AUTH-06")

    def test_one_that_has_expired(self, site: Site, hub: Platform) -> None:
        token = hub.token("brief", expires_s=5)
        hub.clock.ahead_s += 10
        try:
            assert "the token brief has expired" in self.refused(site, hub, token, "E-AUTH-05")
        finally:
            hub.clock.ahead_s -= 10

    def test_one_that_ends_soon_is_a_warning(self, site: Site, hub: Platform) -> None:
        site.write(hub.url, token=hub.token("soon", expires_s=3 * 86400))
        told = site.check().warned("token")
        assert "it ends in 2 d 23 h" in told or "it ends in 3 d" in told
        assert "hub token create" in told

    def test_one_of_an_operator(self, site: Site, hub: Platform) -> None:
        site.write(hub.url, token=OPERATOR)
        told = site.check().only("token", "E-AUTH-07")
        assert "its scope is operator; expected agent" in told

    def test_one_that_others_can_read(self, site: Site, hub: Platform) -> None:
        """The way is looked at all the same; the token is not shown to anybody."""
        site.write(hub.url)
        (site.folder / "token").chmod(0o644)
        found = site.check()
        assert "is readable by others" in found.only("token file", "E-AUTH-02")
        assert found.checks["tcp"]["state"] == "ok"
        assert found.not_tried() == ["platform", "clock", "token", "upload", "long poll"]


class TestTheLine:
    def test_a_poll_that_is_cut_early(self, site: Site, hub: Platform, opened: ExitStack) -> None:
        server = opened.enter_context(WickedServer(front(hub.port, patience_s=1.2)))
        site.write(server.url)
        found = site.check("--hold", "20s")
        told = found.warned("long poll")
        assert told.startswith("E-NET-07  something between here and the platform")
        assert re.search(r"cut the line after \d+\.\d s, where 20 s were asked for", told)

    def test_a_poll_that_a_gateway_gives_up(
        self, site: Site, hub: Platform, opened: ExitStack
    ) -> None:
        words = page("504 Gateway Time-out")
        server = opened.enter_context(
            WickedServer(front(hub.port, patience_s=1.2, last_words=words))
        )
        site.write(server.url)
        told = site.check("--hold", "20s").warned("long poll")
        assert "answered for the platform after " in told
        assert "HTTP 504 that is not the platform's" in told

    def test_no_poll_is_held_at_all(self, site: Site, hub: Platform, opened: ExitStack) -> None:
        server = opened.enter_context(WickedServer(front(hub.port, patience_s=0.0)))
        site.write(server.url)
        told = site.check("--hold", "20s").only("long poll", "E-NET-07")
        assert "cut the line after 0." in told

    def test_a_proxy_that_takes_small_bodies_only(
        self, site: Site, hub: Platform, opened: ExitStack
    ) -> None:
        routes = {f"{HOST}:80": ("127.0.0.1", hub.port)}
        proxy = opened.enter_context(proxying(Manners(routes, limit_bytes=2**20)))
        site.write(f"http://{HOST}", f"proxy: {{url: '{proxy.url}'}}")
        found = site.check()
        told = found.warned("upload")
        assert f"the proxy {proxy.url} (proxy.url), or something behind it, stops 4.0 MiB" in told
        assert "HTTP 413" in told
        assert found.checks["upload"]["said"].startswith("1.0 MiB arrived whole")
        assert "in the clear" in found.warned("tls")

    def test_a_proxy_that_lets_no_upload_pass(
        self, site: Site, hub: Platform, opened: ExitStack
    ) -> None:
        routes = {f"{HOST}:80": ("127.0.0.1", hub.port)}
        proxy = opened.enter_context(proxying(Manners(routes, limit_bytes=1000)))
        site.write(f"http://{HOST}", f"proxy: {{url: '{proxy.url}'}}")
        told = site.check().only("upload", "E-NET-08")
        assert "does not let PUT with 64.0 KiB pass" in told

    def test_something_that_changes_what_passes(self, site: Site, opened: ExitStack) -> None:
        probed = {"bytes": 3, "sha256": "0" * 64, "held_s": 0.0}

        def answer(connection: socket.socket) -> None:
            waits = b""
            while piece := connection.recv(65536):
                waits += piece
                if piece.startswith(b"GET"):
                    connection.sendall(greeting())
                    waits = b""
                elif len(waits) > 2**16:
                    connection.sendall(whole(json.dumps(probed).encode()))

        server = opened.enter_context(WickedServer(answer))
        site.write(server.url)
        told = site.check().only("upload", "E-NET-08")
        assert "changes what passes" in told


class TestTheMachine:
    def offline(self, site: Site, pipeline: str = "", hooks: str = HOOKS, *more: str) -> Found:
        site.write("https://hub.invalid", *more, pipeline=pipeline)
        (site.folder / "processes.py").write_text(hooks)
        return site.check("--offline")

    def test_a_full_disk(self, site: Site, opened: ExitStack) -> None:
        disk = opened.enter_context(small_disk(site.folder / "disk"))
        fill_disk(disk)
        found = self.offline(site, f", checkpoints: {{dir: '{disk}'}}")
        told = found.only("disk", "E-DISK-06")
        assert f"{disk} (pipelines.toy.checkpoints.dir): the disk is full: 0 B free" in told

    def test_a_disk_without_a_file_left(self, site: Site, opened: ExitStack) -> None:
        disk = opened.enter_context(small_disk(site.folder / "disk", options="nr_inodes=1"))
        found = self.offline(site, f", checkpoints: {{dir: '{disk}'}}")
        assert "no file more can be made" in found.only("disk", "E-DISK-06")

    def test_a_disk_with_less_than_a_job_needs(self, site: Site) -> None:
        site.write("https://hub.invalid")
        much = {"ALECTIO_AGENT_CLAIM__MIN_FREE_DISK": "5000TiB"}
        told = site.check("--offline", environment=much).warned("disk")
        assert told.startswith("E-DISK-06  no job is asked for: ")

    def test_a_state_folder_on_a_disk_that_is_read_only(
        self, site: Site, opened: ExitStack
    ) -> None:
        disk = opened.enter_context(small_disk(site.folder / "disk"))
        (disk / "state").mkdir(mode=0o700)
        remount(disk, "ro")
        found = self.offline(site, "", HOOKS, f"agent: {{state_dir: '{disk}/state'}}")
        assert "may not be written by this user" in found.only("state folder", "E-DISK-01")

    def test_a_record_of_what_left_that_no_agent_starts_with(self, site: Site) -> None:
        """Of a newer version; a damaged one is moved aside, and is a warning."""
        state = site.folder / ".alectio"
        state.mkdir(mode=0o700)
        with closing(sqlite3.connect(state / "egress.db")) as newer:
            newer.execute("PRAGMA user_version=9")
        told = self.offline(site).only("record", "E-DISK-03")
        assert "egress.db: schema 9 is newer than this version's 2" in told
        (state / "egress.db").write_bytes(b"no database at all " * 500)
        told = self.offline(site).warned("record")
        assert told.startswith("E-DISK-09")
        assert "begins another" in told

    def test_a_checkpoint_folder_that_cannot_be_read(self, site: Site) -> None:
        """Root may read everything, unless it gives that right away."""
        folder = site.folder / "checkpoints"
        folder.mkdir(mode=0o300)
        site.write("https://hub.invalid")
        words = ["check", "--json", "--offline", "--here", "--config", "agent.yaml"]
        plain: list[str] = []
        if os.geteuid() == 0:
            program = shutil.which("setpriv")
            if program is None:
                pytest.skip("without setpriv root cannot be kept from reading")
            lost = "-dac_override,-dac_read_search"
            plain = [program, f"--bounding-set={lost}", f"--inh-caps={lost}"]
        ran = subprocess.run(
            [*plain, sys.executable, "-m", "alectio_agent", *words],
            cwd=site.folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        folder.chmod(0o700)
        checks = {check["check"]: check for check in json.loads(ran.stdout)}
        found = Found(ran.returncode, checks)
        told = found.only("toy: checkpoints", "E-HOOK-02")
        assert f"{folder} may not be read and written by this user" in told

    def test_hooks_that_cannot_be_imported(self, site: Site) -> None:
        told = self.offline(site, hooks="import this_is_nowhere\n" + HOOKS)
        assert "`import this_is_nowhere`: not installed in" in told.only("toy: hooks", "E-HOOK-01")

    def test_torch_that_is_not_installed(self, site: Site) -> None:
        """In an interpreter without it, whatever that of the tests has."""
        venv.EnvBuilder(symlinks=True).create(site.folder / "bare")
        hooks = "import torch\n" + HOOKS
        found = self.offline(site, ", python: bare/bin/python", hooks)
        told = found.only("toy: hooks", "E-HOOK-01")
        assert "processes.py:1 `import torch`: not installed in" in told

    def test_an_interpreter_that_is_none(self, site: Site) -> None:
        found = self.offline(site, ", python: /bin/false")
        assert "is no Python that runs" in found.only("toy: python", "E-HOOK-02")
        assert found.checks["toy: hooks"]["said"] == "not tried: toy: python must be mended first"

    def test_an_interpreter_that_is_not_there(self, site: Site) -> None:
        found = self.offline(site, ", python: /opt/conda/envs/gone/bin/python")
        assert "no such interpreter" in found.only("toy: python", "E-HOOK-02")

    def test_hooks_without_infer(self, site: Site) -> None:
        found = self.offline(site, hooks=HOOKS.replace("def infer", "def inver"))
        assert "infer" in found.only("toy: hooks", "E-HOOK-03")


TORCH = """
__version__ = "9.9"
import os
class version:
    cuda = {cuda!r}
class cuda:
    @staticmethod
    def device_count():
        return len(list(filter(None, os.environ.get("CUDA_VISIBLE_DEVICES", "0,1").split(","))))
    @staticmethod
    def is_available():
        return {sees} and cuda.device_count() > 0
    @staticmethod
    def get_device_name(number):
        return "Card " + os.environ.get("CUDA_VISIBLE_DEVICES", "0,1").split(",")[number]
"""


class TestGpus:
    """A torch of the test's own lies beside the hooks, where they would import it from."""

    def look(self, site: Site, slots: str, *, sees: bool = True, cuda: str | None = "12") -> Found:
        site.write("https://hub.invalid", *([f"slots: [{{gpus: {slots}}}]"] if slots else []))
        (site.folder / "torch.py").write_text(TORCH.format(sees=sees, cuda=cuda))
        return site.check("--offline")

    def test_those_of_the_slot_are_seen(self, site: Site) -> None:
        said = self.look(site, "[1]").checks["toy: gpu"]["said"]
        assert said == "torch 9.9 sees 1 GPU: Card 1"
        said = self.look(site, "").checks["toy: gpu"]["said"]
        assert said == "torch 9.9 sees 2 GPUs: Card 0, Card 1"

    def test_one_that_the_slot_names_and_torch_does_not_see(self, site: Site) -> None:
        told = self.look(site, "[0]", sees=False, cuda=None).only("toy: gpu", "E-HOOK-18")
        assert "torch sees 0 of 1" in told
        assert "built without CUDA" in told

    def test_a_slot_without_any_needs_none(self, site: Site) -> None:
        found = self.look(site, "[]", sees=False)
        assert (found.code, found.checks["toy: gpu"]["state"]) == (0, "ok")

    def test_a_card_that_torch_does_not_see_is_a_warning(self, site: Site) -> None:
        """The driver's program shows it: most likely torch was built for another driver."""
        found = self.beside_a_driver(site, "")
        told = found.warned("toy: gpu")
        assert told.startswith("E-HOOK-18  torch sees no GPU (built without CUDA)")
        assert found.checks["toy: gpu"]["said"].endswith("nvidia-smi shows 1 GPU: Tesla T4")

    def test_without_torch_the_drivers_program_is_asked(self, site: Site) -> None:
        there = self.beside_a_driver(site, "[0]", has_torch=False)
        assert there.checks["toy: gpu"]["said"] == "no torch; nvidia-smi shows 1 GPU: Tesla T4"
        gone = self.beside_a_driver(site, "[3]", has_torch=False).only("toy: gpu", "E-HOOK-18")
        assert "there is no GPU 3" in gone

    def beside_a_driver(self, site: Site, slots: str, *, has_torch: bool = True) -> Found:
        program = site.folder / "nvidia-smi"
        program.write_text("#!/bin/sh\necho '0, Tesla T4, GPU-1a2b'\n")
        program.chmod(0o755)
        venv.EnvBuilder(symlinks=True).create(site.folder / "bare")
        pipeline = f", python: bare/bin/python, env: {{PATH: '{site.folder}:/usr/bin:/bin'}}"
        more = [f"slots: [{{gpus: {slots}}}]"] if slots else []
        site.write("https://hub.invalid", *more, pipeline=pipeline)
        if has_torch:
            (site.folder / "torch.py").write_text(TORCH.format(sees=False, cuda=None))
        return site.check("--offline")
