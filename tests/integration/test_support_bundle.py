"""`support-bundle`: what it holds, and that no secret is in any file of it."""

import base64
import gzip
import json
import os
import pty
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from alectio_agent.cli.bundle_files import unit_files
from alectio_agent.cli.bundle_secrets import unit_secrets
from alectio_agent.cli.main import main
from alectio_agent.core.masking import Masker
from tests.support.canaries import found_in

CANARIES = {
    "token": "alt_canary-of-the-token-0123456789abcdef",
    "proxy": "canary/of+the@proxy password",
    "env_file": "canary-of-the-env-file",
    "env": "canary-of-env",
    "args": "canary-of-args",
    "argv": "canary-of-argv",
    "notify": "canary-of-notify",
    "variable": "canary-of-a-variable",
    "url": "canary-of-a-proxy-variable",
    "hub": "canary-of-the-hub",
}
HOOKS = """
import os
def train(payload): pass
test = infer = train
print("hooks see", os.environ["API_TOKEN"], os.environ["DB_PASSWORD"])
raise RuntimeError("cannot sign in with " + os.environ["API_TOKEN"])
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An agent whose every secret stands in everything that can be collected."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    secrets = {
        "token": CANARIES["token"],
        "credentials": f"me:{CANARIES['proxy']}",
        "variables": f"API_TOKEN='{CANARIES['env_file']}'\nWORKERS=4\n",
    }
    for name, content in secrets.items():
        (tmp_path / name).write_text(content + "\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "processes.py").write_text(HOOKS)
    (tmp_path / "agent.yaml").write_text(
        "platform: {url: 'https://hub.example.org', token_file: token}\n"
        "proxy: {url: 'http://proxy.example.org:3128', credentials_file: credentials}\n"
        "pipelines:\n  toy:\n    hooks: processes.py\n    env_file: variables\n"
        f"    env: {{DB_PASSWORD: {CANARIES['env']}}}\n"
        f"    args: {{deep: [{{api_key: {CANARIES['args']}}}]}}\n"
        f"    argv: [--password, {CANARIES['argv']}]\n"
        f"notify: {{command: 'curl --token {CANARIES['notify']} https://chat.example.org'}}\n"
    )
    logs = tmp_path / ".alectio" / "logs"
    logs.mkdir(parents=True)
    lines = [
        line
        for secret in CANARIES.values()
        for line in (
            secret, quote(secret, safe=""), json.dumps(secret),
            base64.b64encode(f"me:{secret}".encode()).decode(),
        )
    ]  # fmt: skip
    (logs / "toy.0.log").write_text("\n".join(lines))
    (tmp_path / ".alectio" / f"left-{CANARIES['env_file']}").touch()
    (tmp_path / ".alectio" / "hub").mkdir()
    (tmp_path / ".alectio" / "hub" / "hub.json").write_text(
        json.dumps({"operator_token": CANARIES["hub"]})
    )
    monkeypatch.setenv("SMTP_PASSWORD", CANARIES["variable"])
    monkeypatch.setenv("http_proxy", f"http://me:{CANARIES['url']}@proxy.example.org:3128")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*words: str) -> Result:
    return CliRunner().invoke(main, ["support-bundle", *words])


def contents(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as packed:
        return {
            member.name.removeprefix("alectio-support/"): packed.extractfile(member).read()  # type: ignore[union-attr]
            for member in packed
        }


def test_no_canary_is_in_any_file_of_it_nor_in_what_it_shows(site: Path) -> None:
    result = make("out.tar.gz", "--yes", "--job-logs")
    assert result.exit_code == 0, result.output
    assert (site / "out.tar.gz").stat().st_mode & 0o777 == 0o600
    found = contents(site / "out.tar.gz")
    assert {"versions.json", "environment.txt", "agent.yaml", "disk.json", "state.json",
            "check.json", "masked.txt", "logs/toy.0.log"} <= found.keys()  # fmt: skip
    everything = gzip.decompress((site / "out.tar.gz").read_bytes()) + result.output.encode()
    assert found_in(everything, CANARIES.values()) == []
    for name, content in found.items():
        assert name in result.stdout, content
    # What is left says enough: which secret stood where, and what is no secret at all.
    checked = found["check.json"].decode()
    assert "cannot sign in with [masked: pipelines.toy.env_file API_TOKEN]" in checked
    assert "proxy.example.org" in found["agent.yaml"].decode()
    assert "SMTP_PASSWORD" in found["environment.txt"].decode()
    assert found["state.json"] == b"no agent is running\n"
    masked = found["masked.txt"].decode()
    assert "masked by value: the token\n" in masked
    assert "too short to be masked" not in masked


def test_what_hooks_printed_is_left_out_unless_asked_for(site: Path) -> None:
    result = make("out.tar.gz", "--yes")
    assert "left out: what your hooks printed" in result.stdout
    assert not [name for name in contents(site / "out.tar.gz") if name.startswith("logs/")]


def test_nothing_is_written_where_nobody_can_be_asked(site: Path) -> None:
    (site / "agent.yaml").write_text("")  # nothing to check, which takes long
    result = make("out.tar.gz")
    assert result.exit_code == 2
    assert "versions.json" in result.stdout
    assert "--yes" in result.stderr
    assert not (site / "out.tar.gz").exists()


def test_a_file_that_is_there_is_not_overwritten(site: Path) -> None:
    (site / "out.tar.gz").write_text("mine")
    assert make("out.tar.gz", "--yes").exit_code == 2
    assert (site / "out.tar.gz").read_text() == "mine"


def test_a_configuration_that_does_not_load_is_what_a_bundle_is_for(site: Path) -> None:
    (site / "agent.yaml").write_text("pipelines: {toy: {hoks: processes.py}}\n")
    result = make("out.tar.gz", "--yes", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["file"] == "out.tar.gz"
    found = contents(site / "out.tar.gz")
    assert [each["name"] for each in told["files"]] == list(found)
    assert b"E-CONF-02" in found["configuration.txt"]
    assert b"hoks" in found["configuration.txt"]


@pytest.mark.parametrize(("said", "is_there"), [("y", True), ("n", False)])
def test_a_person_is_asked_after_the_list_was_shown(
    tmp_path: Path, said: str, is_there: bool
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "alectio_agent", "support-bundle", "out.tar.gz"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ALECTIO")}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=clean,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        while b"Write out.tar.gz?" not in seen:
            seen += os.read(ours, 1000)
        assert b"versions.json" in seen
        os.write(ours, said.encode() + b"\n")
        assert process.wait(60) == 0
    os.close(ours)
    assert (tmp_path / "out.tar.gz").exists() == is_there


def test_secrets_in_a_unit_are_known(tmp_path: Path) -> None:
    """A proxy with its password in a drop-in, for one, stands in the bundle's copy of it."""
    unit = tmp_path / "alectio-agent.service"
    unit.write_text(
        "[Service]\nExecStart=/usr/bin/alectio-agent run\n"
        f"SetCredential=token:{CANARIES['token']}\n"
    )
    drop_ins = tmp_path / "alectio-agent.service.d"
    drop_ins.mkdir()
    (drop_ins / "site.conf").write_text(
        f'[Service]\nEnvironment="https_proxy=http://me:{CANARIES["url"]}@p:3128" LANG=C\n'
        f"Environment=HF_TOKEN={CANARIES['variable']}\n"
        f"ExecStartPre=/bin/hook --password {CANARIES['argv']}\n"
    )
    files = list(unit_files([tmp_path]))
    assert [each.name for each in files] == ["alectio-agent.service", "site.conf"]
    masker = Masker(unit_secrets(files))
    everything = b"".join(masker.mask(each.read_bytes()) for each in files)
    assert found_in(everything, CANARIES.values()) == []
    assert b"LANG=C" in everything
