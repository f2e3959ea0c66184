"""Which way leads out of a site: settings before environment, and who is spared."""

import base64
import ssl
from pathlib import Path

import pytest
import trustme

from alectio_agent.agent.client.network import Network, read_network
from alectio_agent.config.network import ProxySettings, TlsSettings
from alectio_agent.config.no_proxy import is_spared
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError, ExitCode
from alectio_agent.core.trust_store import TrustStore, find_trust_store
from tests.support.certificates import write_ca

URL = "http://hub.example.org:8080"
PROXY = "http://proxy:3128"


def settings(proxy: ProxySettings) -> AgentFile:
    made = {"pipelines": {"x": {"hooks": "/a.py"}}, "experiment": "/e.yaml", "proxy": proxy}
    return AgentFile.model_validate({**made, "tls": TlsSettings()})


def way(environment: dict[str, str], url: str = URL, **proxy: object) -> str | None:
    """The proxy on the way, None for a direct one."""
    found = read_network(url, environment, settings(ProxySettings.model_validate(proxy)))
    return found.proxy.url if found.proxy else None


def test_without_any_setting_the_way_is_direct() -> None:
    assert way({}) is None


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_environment_names_a_proxy(name: str) -> None:
    assert way({name: PROXY}) == PROXY
    assert way({name: "proxy:3128"}) == PROXY


def test_each_scheme_has_its_own_variable() -> None:
    assert way({"https_proxy": PROXY}) is None
    assert way({"http_proxy": "http://other:1", "https_proxy": PROXY}, "https://h.org") == PROXY


def test_small_letters_count_before_capitals_even_when_empty() -> None:
    assert way({"HTTP_PROXY": "http://other:1", "http_proxy": PROXY}) == PROXY
    assert way({"HTTP_PROXY": PROXY, "http_proxy": ""}) is None


def test_the_settings_count_before_the_environment() -> None:
    assert way({"http_proxy": "http://other:1"}, url=URL) == "http://other:1"
    found = read_network(URL, {"http_proxy": "http://other:1"}, settings(ProxySettings(url=PROXY)))
    assert found.proxy is not None
    assert (found.proxy.url, found.proxy.named_by) == (PROXY, "proxy.url")


def test_none_is_a_direct_way_whatever_the_environment_says() -> None:
    found = read_network(URL, {"http_proxy": PROXY}, settings(ProxySettings(url="none")))
    assert found.proxy is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8642", "http://localhost:1", "http://[::1]:8642"]
)
def test_loopback_never_takes_the_proxy(url: str) -> None:
    assert read_network(url, {}, settings(ProxySettings(url=PROXY))).proxy is None


def test_no_proxy_of_the_settings_is_added_to_the_environments() -> None:
    spared = ProxySettings(url=PROXY, no_proxy=["hub.example.org"])
    assert read_network(URL, {}, settings(spared)).proxy is None
    environment = {"NO_PROXY": "hub.example.org"}
    assert read_network(URL, environment, settings(ProxySettings(url=PROXY))).proxy is None


@pytest.mark.parametrize(
    ("url", "entry", "expected"),
    [
        ("http://example.org", "example.org", True),
        ("http://hub.example.org", "example.org", True),
        ("http://hub.example.org", ".example.org", True),
        ("http://hub.example.org", "*.example.org", True),
        ("http://HUB.example.org.", "hub.EXAMPLE.org", True),
        ("http://notexample.org", "example.org", False),
        ("http://example.org.evil.com", "example.org", False),
        ("http://anything", "*", True),
        ("http://hub:8080", "hub:8080", True),
        ("http://hub:8080", "hub:443", False),
        ("https://hub", "hub:443", True),
        ("http://10.1.2.3", "10.0.0.0/8", True),
        ("http://10.1.2.3", "10.1.2.3", True),
        ("http://11.1.2.3", "10.0.0.0/8", False),
        ("http://10.example.org", "10.0.0.0/8", False),
        ("http://[fd00::1]:80", "fd00::/8", True),
        ("http://[fd00::1]:80", "[fd00::1]:80", True),
        ("http://hub", "", False),
        ("http://hub", "hub:http", False),
    ],
)
def test_who_is_spared(url: str, entry: str, expected: bool) -> None:
    assert is_spared(url, [entry]) is expected


def test_a_password_in_the_environment_is_used_and_taken_out_of_the_url() -> None:
    found = read_network(URL, {"http_proxy": "http://me:p%40ss@proxy:3128/"})
    assert found.proxy is not None
    assert found.proxy.url == PROXY
    assert found.proxy.authorization == "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert "Basic" not in repr(found)


@pytest.mark.parametrize("value", ["socks5://me:s3cret@p:1", "http://", "http://me:s3cret@p:x"])
def test_a_proxy_of_the_environment_that_cannot_be_used_is_told_without_its_password(
    value: str,
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_network(URL, {"ALL_PROXY": value})
    assert caught.value.exit_code == ExitCode.CONFIG
    assert "$ALL_PROXY names no proxy that can be used" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_credentials_that_were_changed_since_are_told(tmp_path: Path) -> None:
    found = settings(ProxySettings(url=PROXY, credentials_file=tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"proxy\.credentials_file: .*gone cannot be read"):
        read_network(URL, {}, found)


def test_plain_http_loads_no_authorities() -> None:
    """The hub in the box is reached without TLS: its agent is spared time and memory."""
    assert read_network(URL, {}).context is None


def test_the_context_verifies_and_is_the_same_on_every_python() -> None:
    context = read_network("https://hub.example.org", {}).context
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_flags & ssl.VerifyFlags.VERIFY_X509_STRICT
    assert not context.hostname_checks_common_name


def test_without_strictness_only_the_letter_of_the_rules_is_spared() -> None:
    made = {"pipelines": {"x": {"hooks": "/a.py"}}, "experiment": "/e.yaml"}
    lenient = AgentFile.model_validate({**made, "tls": TlsSettings(strict=False)})
    context = read_network("https://hub.example.org", {}, lenient).context
    assert context is not None
    assert not context.verify_flags & ssl.VerifyFlags.VERIFY_X509_STRICT
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_proxy_that_speaks_tls_needs_the_context_too() -> None:
    proxied = settings(ProxySettings(url="https://proxy"))
    assert read_network(URL, {}, proxied).context is not None


def test_the_store_is_the_systems_where_it_has_one(tmp_path: Path) -> None:
    there = write_ca(tmp_path, trustme.CA())
    assert find_trust_store({}, ("/nowhere.crt", str(there))) == TrustStore(there)


def test_a_variable_stands_in_the_systems_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.pem"
    file.write_text("")
    assert find_trust_store({"SSL_CERT_FILE": str(file)}) == TrustStore(file)
    assert find_trust_store({"SSL_CERT_DIR": str(tmp_path)}) == TrustStore(None, tmp_path)


def test_what_conda_sets_by_itself_does_not_hide_the_systems_store(tmp_path: Path) -> None:
    there = write_ca(tmp_path, trustme.CA())
    (tmp_path / "conda").mkdir()
    own = write_ca(tmp_path / "conda", trustme.CA())
    environment = {"CONDA_PREFIX": str(tmp_path / "conda"), "SSL_CERT_FILE": str(own)}
    assert find_trust_store(environment, (str(there),)) == TrustStore(there)
    assert find_trust_store({**environment, "REQUESTS_CA_BUNDLE": str(own)}) == TrustStore(own)


def test_a_variable_that_names_nothing_is_told() -> None:
    with pytest.raises(ConfigError, match=r"\$SSL_CERT_FILE names /none"):
        find_trust_store({"SSL_CERT_FILE": "/none"})


def test_a_store_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    with pytest.raises(ConfigError, match="holds no certificate"):
        read_network("https://h.org", {"SSL_CERT_FILE": str(tmp_path / "empty")})


def test_a_broken_pinned_certificate_is_told() -> None:
    with pytest.raises(ConfigError, match=r"hub\.json"):
        Network.pinned("nonsense", "hub")
