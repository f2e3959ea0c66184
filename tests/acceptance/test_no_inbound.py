"""No inbound port, one outbound host: the kernel is asked, not the program.

The site is a machine in a network namespace, behind the rules that docs/firewall.md shows. strace
writes down what the agent and everything it starts wants of the network, nftables counts what
tried to leave or to come in.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.certificates import HOST, write_ca, write_leaf
from tests.support.projects import run_command, write_project
from tests.support.proxies import Manners, Proxy
from tests.support.traces import Call, bound, listeners, reached, read_trace, strace
from tests.support.walls import PLATFORM, PROXY, RESOLVER, SITE, Walls, read_rules, walled

PROBE = "::1:0"
"""urllib3 binds a socket to no port of loopback, and closes it, to learn whether there is IPv6."""
NOTHING = {"dns": 0, "elsewhere": 0, "inbound": 0}
BUSYBODY = f"""
import os, socket
if os.fork() == 0:
    port = socket.create_server(("0.0.0.0", 5000))
    told = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    told.bind(("0.0.0.0", 5001))
    os._exit(0)
os.wait()
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for to in (("{RESOLVER}", 53), ("198.51.100.7", 9)):
    try:
        asking.sendto(b"?", to)
    except PermissionError:
        pass
line = socket.socket()
line.settimeout(0.2)
try:
    line.connect(("{PLATFORM}", 80))
except OSError:
    pass
"""


@dataclass
class Far:
    """A hub beyond the wall, and what the site needs of it."""

    walls: Walls
    folder: Path

    def command(self, *words: str) -> str:
        """`alectio-agent WORDS --data ...` on the hub's machine: what it prints."""
        where = ("--data", str(self.folder / "hub"))
        done = self.walls.outside(lambda: run_command(*words, *where, cwd=self.folder))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make_site(self, name: str, url: str, more: str = "") -> Path:
        """A project with a token, and an experiment of two loops that waits for it."""
        site = self.folder / name
        write_project(site, loops=2, name=name)
        (site / "token").write_text(self.command("hub", "token", "create", name))
        (site / "token").chmod(0o600)
        (site / "agent.yaml").write_text(
            f"platform: {{url: '{url}', token_file: token}}\ntls: {{ca_file: ../ca.pem}}\n{more}"
            "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
        )
        self.command("experiment", "create", str(site / "experiment.yaml"))
        return site

    def labels(self, name: str) -> tuple[str, list[int]]:
        """How far an experiment is."""
        view = json.loads(self.command("experiment", "show", name, "--json"))
        return view["state"], [loop["labels"] for loop in view["loops"]]


@pytest.fixture(scope="module")
def walls() -> Iterator[Walls]:
    with walled() as made:
        yield made


@pytest.fixture(scope="module")
def far(walls: Walls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """A hub with TLS at the platform's address, known there by its name as well."""
    folder = tmp_path_factory.mktemp("far")
    authority = trustme.CA()
    write_ca(folder, authority)
    files = write_leaf(folder, authority.issue_cert(HOST, PLATFORM))
    command = [sys.executable, "-m", "alectio_agent", "hub", "serve", "--host", PLATFORM]
    command += ["--port", "443", "--certfile", str(files.certificate)]
    command += ["--keyfile", str(files.key), "--data", str(folder / "hub")]
    with walls.outside(
        lambda: subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    ) as serving:
        assert serving.stdout is not None
        while "https://" not in (line := serving.stdout.readline()):
            assert line, "the hub ended before it served"
        yield Far(walls, folder)
        serving.terminate()
        assert serving.wait(30) == 0


def run_at(walls: Walls, site: Path, *words: str) -> list[Call]:
    """`alectio-agent run` at the site, watched; gives what it asked of the network."""
    trace = site.parent / "trace"
    command = [*strace(trace), sys.executable, "-m", "alectio_agent", "run", *words]
    done = at(walls, command, site)
    assert done.returncode == 0, done.stderr
    calls = read_trace(trace)
    # The witness was awake: it saw the socket that commands such as `pause` use.
    assert [call.to for call in calls if call.name == "bind" and call.to.endswith("control.sock")]
    return calls


def at(walls: Walls, command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """A command on the site's machine."""
    words = ["ip", "netns", "exec", walls.site, *command]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=100)


def test_the_wall_and_the_trace_see_what_they_look_for(walls: Walls, tmp_path: Path) -> None:
    """A program that listens, asks for names and calls others: or the tests below prove nothing."""
    walls.load(read_rules("direct"))
    trace = tmp_path / "trace"
    assert at(walls, [*strace(trace), sys.executable, "-c", BUSYBODY], tmp_path).returncode == 0
    calls = read_trace(trace)
    assert listeners(calls) == {"0.0.0.0:5000"}
    assert bound(calls) == {"0.0.0.0:5000", "0.0.0.0:5001"}
    assert reached(calls) == {f"{RESOLVER}:53", "198.51.100.7:9", f"{PLATFORM}:80"}
    walls.outside(call_the_site)
    counted = walls.packets()
    assert counted["dns"] == 1
    assert counted["elsewhere"] >= 2, "a datagram, and a connection that was tried"
    assert counted["inbound"] >= 1
    assert counted["platform"] == 0


def call_the_site() -> None:
    """Somebody from outside knocks at the site."""
    with socket.socket() as line:
        line.settimeout(0.2)
        with pytest.raises(TimeoutError):
            line.connect((SITE, 8642))


@pytest.mark.timeout(120)
def test_a_job_is_done_behind_a_wall_that_lets_out_one_address_and_port(
    walls: Walls, far: Far
) -> None:
    site = far.make_site("direct", f"https://{PLATFORM}")
    walls.load(read_rules("direct"))
    calls = run_at(walls, site, "--until-done")
    counted = walls.packets()
    assert far.labels("direct") == ("finished", [5, 10])
    assert listeners(calls) == set()
    assert bound(calls) <= {PROBE}
    assert reached(calls) == {f"{PLATFORM}:443"}
    assert counted.pop("platform") > 0
    assert counted == NOTHING


@pytest.mark.timeout(120)
def test_with_only_a_proxy_in_reach_the_job_is_done_and_no_name_is_asked_for(
    walls: Walls, far: Far
) -> None:
    """The platform is known by a name that nobody at the site can resolve: the proxy gets it."""
    manners = Manners({f"{HOST}:443": (PLATFORM, 443)})
    proxy = walls.outside(lambda: Proxy(manners, at=(PROXY, 3128)))
    site = far.make_site("proxied", f"https://{HOST}", f"proxy: {{url: '{proxy.url}'}}\n")
    walls.load(read_rules("proxy"))
    calls = run_at(walls, site, "--until-done")
    counted = walls.packets()
    proxy.close()
    assert far.labels("proxied") == ("finished", [5, 10])
    assert listeners(calls) == set()
    assert bound(calls) <= {PROBE}
    assert reached(calls) == {f"{PROXY}:3128"}
    assert set(proxy.asked) == {f"CONNECT {HOST}:443"}
    assert counted.pop("proxy") > 0
    assert counted == NOTHING


@pytest.mark.timeout(120)
def test_with_the_hub_in_the_box_the_only_port_is_one_on_loopback(
    walls: Walls, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    write_project(site, loops=2)
    walls.load(read_rules("direct"))
    calls = run_at(walls, site)
    assert listeners(calls) == {"127.0.0.1:8642"}
    assert bound(calls) - {PROBE} == {"127.0.0.1:8642"}
    assert reached(calls) == {"127.0.0.1:8642"}
    assert walls.packets() == {**NOTHING, "platform": 0}
