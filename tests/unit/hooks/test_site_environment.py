"""Hooks find the site's proxy and authorities, and never the agent's credentials."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from alectio_agent.agent.hooks.site_environment import site_environment
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.errors import ConfigError
from tests.support.certificates import write_ca

PROXY = "http://proxy:3128"
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def settings(proxy: dict[str, Any] | None = None, tls: dict[str, Any] | None = None) -> AgentFile:
    made = {"pipelines": {"x": {"hooks": "/a.py"}}, "experiment": "/e.yaml"}
    return AgentFile.model_validate({**made, "proxy": proxy or {}, "tls": tls or {}})


def test_without_settings_nothing_is_added(tmp_path: Path) -> None:
    inherited = {"PATH": "/bin", "https_proxy": "http://theirs"}
    assert site_environment(settings(), inherited, tmp_path) == inherited
    assert list(tmp_path.iterdir()) == []


def test_the_proxy_is_told_in_every_spelling(tmp_path: Path) -> None:
    """An inherited one in capitals would win in some libraries."""
    inherited = {"HTTPS_PROXY": "http://theirs", "NO_PROXY": "a.org"}
    found = site_environment(settings({"url": PROXY, "no_proxy": ["b.org"]}), inherited, tmp_path)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        assert found[name] == PROXY
    for name in ("no_proxy", "NO_PROXY"):
        assert found[name] == "a.org,b.org,localhost,127.0.0.1,::1"


def test_the_proxys_password_stays_with_the_agent(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("me:s3cret")
    proxy = {"url": PROXY, "credentials_file": tmp_path / "credentials"}
    found = site_environment(settings(proxy), {}, tmp_path)
    assert not [value for value in found.values() if "s3cret" in value or "credentials" in value]


def test_a_direct_way_of_the_agent_leaves_the_hooks_their_environment(tmp_path: Path) -> None:
    inherited = {"https_proxy": PROXY}
    assert site_environment(settings({"url": "none"}), inherited, tmp_path) == inherited


def test_authorities_are_added_to_the_store_in_a_file_for_the_hooks(tmp_path: Path) -> None:
    ours, theirs = write_ca(tmp_path, trustme.CA()), write_ca(tmp_path, trustme.CA(), "theirs.pem")
    folder = tmp_path / "state"
    inherited = {"SSL_CERT_FILE": str(theirs)}
    found = site_environment(settings(tls={"ca_file": ours}), inherited, folder)
    bundle = folder / "ca-bundle.pem"
    assert [found[name] for name in CA_VARIABLES] == [str(bundle)] * 3
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    assert len(context.get_ca_certs()) == 2
    assert bundle.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in folder.iterdir()] == ["ca-bundle.pem"]


def test_the_file_is_written_anew_at_each_start(tmp_path: Path) -> None:
    for _ in range(2):
        ca = write_ca(tmp_path, trustme.CA())
        site_environment(settings(tls={"ca_file": ca}), {}, tmp_path)
        assert ca.read_text() in (tmp_path / "ca-bundle.pem").read_text()


def test_authorities_that_are_gone_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tls\.ca_file: /none cannot be read"):
        site_environment(settings(tls={"ca_file": Path("/none")}), {}, tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    ca = write_ca(tmp_path, trustme.CA())
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"ca-bundle\.pem cannot be written"):
        site_environment(settings(tls={"ca_file": ca}), {}, tmp_path / "file")
