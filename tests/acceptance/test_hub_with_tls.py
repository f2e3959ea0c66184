"""A hub that speaks TLS, reached by an agent through a proxy with a password."""

import gzip
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from tests.support.canaries import found_below, found_in
from tests.support.certificates import HOST, write_ca, write_leaf
from tests.support.projects import HOOKS, run_command, write_project
from tests.support.proxies import Manners, Proxy, proxying

TOLD = 'print("hook sees", os.environ["SSL_CERT_FILE"], os.environ["https_proxy"])\n'
LOOK = """
def state(payload):
    return {index: "sample %d" % index for index in range(60)}

def command_lines():
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield file.read_text(errors="replace").replace(chr(0), " ")
        except OSError:
            pass

trains = train
def train(payload):
    seen = {"environment": dict(os.environ), "argv": list(command_lines())}
    Path("seen.json").write_text(json.dumps(seen))
    return trains(payload)
"""
"""Hooks that write down what they see of secrets."""
VARIABLES = "https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY"
STORES = "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE"
WITHOUT = dict.fromkeys(f"{VARIABLES} {STORES}".split(), "")
"""Whatever the machine of the tests has set."""


@dataclass
class Hub:
    """A hub that runs, and what a client needs."""

    data: Path
    port: int
    ca: Path
    operator: Path


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    authority = trustme.CA()
    files = write_leaf(tmp_path, authority.issue_cert(HOST))
    data = tmp_path / "hub"
    command = [sys.executable, "-m", "alectio_agent", "hub", "serve", "--port", "0"]
    command += ["--certfile", str(files.certificate), "--keyfile", str(files.key)]
    with subprocess.Popen(
        [*command, "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as serving:
        assert serving.stdout is not None
        words: list[str] = []
        while not any(word.startswith("https://") for word in words):
            line = serving.stdout.readline()
            assert line, "the hub ended before it served"
            words += line.split()
        operator = tmp_path / "operator"
        operator.write_text(next(word for word in words if word.startswith("alt_")))
        operator.chmod(0o600)
        url = next(word for word in words if word.startswith("https://")).rstrip(",")
        port = urlsplit(url).port
        assert port is not None
        yield Hub(data, port, write_ca(tmp_path, authority), operator)
        serving.terminate()
        assert serving.wait(30) == 0


@pytest.fixture
def proxy(hub: Hub) -> Iterator[Proxy]:
    manners = Manners({f"{HOST}:443": ("127.0.0.1", hub.port)}, password="me:p@ss word")
    with proxying(manners) as found:
        yield found


def make_site(folder: Path, hub: Hub, proxy: Proxy, tls: str = "ca_file: ../ca.pem") -> Path:
    """A project whose agent reaches the hub through the proxy."""
    made = run_command("hub", "token", "create", "gpu01", "--data", str(hub.data), cwd=folder)
    assert made.returncode == 0, made.stderr
    site = folder / "site"
    write_project(site, loops=2, hooks=HOOKS + TOLD)
    for name, content in (("token", made.stdout), ("credentials", "me:p@ss word\n")):
        (site / name).write_text(content)
        (site / name).chmod(0o600)
    (site / "agent.yaml").write_text(
        f"platform: {{url: 'https://{HOST}', token_file: token}}\n"
        f"proxy: {{url: '{proxy.url}', credentials_file: credentials}}\n"
        f"tls: {{{tls}}}\n"
        "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
    )
    return site


def test_an_experiment_runs_to_its_end_through_proxy_and_tls(
    hub: Hub, proxy: Proxy, tmp_path: Path
) -> None:
    site = make_site(tmp_path, hub, proxy)
    checked = run_command("check", "--hold", "1s", cwd=site, environment=WITHOUT)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{proxy.url} (proxy.url) connects to {HOST}:443" in checked.stdout
    options = ("--hub", f"https://{HOST}", "--token-file", str(hub.operator))
    created = run_command(
        "experiment", "create", "experiment.yaml", *options, cwd=site, environment=WITHOUT
    )
    assert created.returncode == 0, created.stderr
    ran = run_command("run", "--until-done", cwd=site, environment=WITHOUT)
    assert ran.returncode == 0, ran.stderr
    # On the hub's machine no certificate is named: hub.json says what to trust.
    shown = run_command(
        "experiment", "show", "toy", "--data", str(hub.data), "--json", cwd=tmp_path
    )
    view = json.loads(shown.stdout)
    assert (view["state"], [loop["labels"] for loop in view["loops"]]) == ("finished", [5, 10])
    assert set(proxy.asked) == {f"CONNECT {HOST}:443"}
    bundle = site / ".alectio" / "ca-bundle.pem"
    logs = "".join(
        file.read_text() for file in (site / ".alectio" / "logs").rglob("*") if file.is_file()
    )
    assert f"hook sees {bundle} {proxy.url}" in logs
    assert "p@ss" not in logs + checked.stdout + ran.stderr + created.stderr
    context = ssl.create_default_context(cafile=str(bundle))
    assert len(context.get_ca_certs()) > 1


@pytest.mark.timeout(180)  # six processes, one after the other
def test_secrets_stay_where_they_belong(hub: Hub, proxy: Proxy, tmp_path: Path) -> None:
    """Token, proxy's password, key and a secret of the hooks, in a run at debug level.

    They are in none of the agent's logs, in no file of the state folder, in no command line, not in
    the hook's environment (but for its own), and not in a support bundle.
    """
    site = make_site(tmp_path, hub, proxy)
    client = write_leaf(tmp_path, trustme.CA().issue_cert("gpu01.example.org"), "client")
    key = client.key.read_text()
    secrets = {
        "token": (site / "token").read_text().strip(),
        "password": "p@ss word",
        "variable": "canary-of-all-proxy",
        "hooks": "canary-of-env-file",
        **{line: line for line in key.splitlines() if len(line) > 16 and "-----" not in line},
    }
    (site / "token").unlink()
    wanted = (site / "experiment.yaml").read_text()
    (site / "experiment.yaml").write_text(wanted.replace("loops: 2", "loops: 1"))
    (site / "variables").write_text(f"STUDY_KEY={secrets['hooks']}\n")
    (site / "variables").chmod(0o600)
    text = (site / "agent.yaml").read_text().replace("pool_size: 60", "env_file: variables")
    text = text.replace("ca_file:", f"client_cert: {client.certificate}, client_key: {client.key}, "
                                    "ca_file:")  # fmt: skip
    (site / "agent.yaml").write_text(text)
    (site / "processes.py").write_text(HOOKS + LOOK)
    environment = {**WITHOUT, "ALL_PROXY": f"http://me:{secrets['variable']}@proxy.example.org:1"}
    enrolled = subprocess.run(
        [sys.executable, "-m", "alectio_agent", "enroll", f"https://{HOST}", "--debug"],
        cwd=site, env={**os.environ, **environment}, input=secrets["token"], text=True,
        capture_output=True,
    )  # fmt: skip
    assert enrolled.returncode == 0, enrolled.stderr
    options = ("--hub", f"https://{HOST}", "--token-file", str(hub.operator))
    created = run_command(
        "experiment", "create", "experiment.yaml", *options, cwd=site, environment=WITHOUT
    )
    assert created.returncode == 0, created.stderr
    ran = run_command("run", "--until-done", "--debug", cwd=site, environment=environment)
    assert ran.returncode == 0, ran.stderr
    made = run_command(
        "support-bundle", "b.tar.gz", "--yes", "--job-logs", cwd=site, environment=environment
    )
    assert made.returncode == 0, made.stderr
    for said in (enrolled, ran, made):
        assert found_in((said.stdout + said.stderr).encode(), secrets.values()) == []
    assert found_below(site / ".alectio", secrets.values()) == []
    assert found_in(gzip.decompress((site / "b.tar.gz").read_bytes()), secrets.values()) == []
    seen = json.loads((site / "seen.json").read_text())
    assert any("alectio_agent" in line for line in seen["argv"])
    assert found_in("\n".join(seen["argv"]).encode(), secrets.values()) == []
    assert seen["environment"]["STUDY_KEY"] == secrets.pop("hooks")
    assert seen["environment"]["ALL_PROXY"] == "http://proxy.example.org:1"
    assert found_in(json.dumps(seen["environment"]).encode(), secrets.values()) == []


def test_without_the_authority_nothing_is_run_and_it_is_named(
    hub: Hub, proxy: Proxy, tmp_path: Path
) -> None:
    site = make_site(tmp_path, hub, proxy, tls="")
    checked = run_command("check", cwd=site, environment=WITHOUT)
    assert checked.returncode == 3
    said = checked.stdout + checked.stderr
    assert f'E-TLS-01  {HOST}:443 shows a certificate by "Testing CA #' in said
    assert "name its file in tls.ca_file" in said


def test_without_agent_yaml_the_environment_says_what_to_trust(
    hub: Hub, proxy: Proxy, tmp_path: Path
) -> None:
    environment = {
        **WITHOUT,
        "SSL_CERT_FILE": str(hub.ca),
        "https_proxy": proxy.url.replace("//", "//me:p%40ss%20word@"),
    }
    options = ("--hub", f"https://{HOST}", "--token-file", str(hub.operator))
    listed = run_command("experiment", "list", *options, cwd=tmp_path, environment=environment)
    assert listed.returncode == 0, listed.stderr


@pytest.mark.parametrize("flags", [("--keyfile", "k"), ("--certfile", "none.pem")])
def test_a_certificate_that_cannot_be_used_ends_with_2(
    tmp_path: Path, flags: tuple[str, str]
) -> None:
    refused = run_command("hub", "serve", "--port", "0", *flags, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("E-TLS-07  --")
    assert "Traceback" not in refused.stderr
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing was made
