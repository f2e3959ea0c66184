"""What hooks print comes to the hub: while they run, after a failure, and over kills."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
import requests

from alectio_agent.core.units import format_duration
from tests.support.hub_process import AGENT, Hub, listening_socket
from tests.support.projects import HOOKS, run_command, write_project

PATIENCE_S = 30
LOG = "/v1/experiments/toy/loops/0/log"
# Prints, then waits for the test to let it go on.
WAITING = HOOKS.replace(
    "def train(payload):",
    "def train(payload):\n"
    "    import time\n"
    "    print('begun ' * 20, flush=True)\n"
    "    while not os.path.exists('go'):\n"
    "        time.sleep(0.01)\n"
    "    print('gone on', flush=True)",
)
BROKEN = HOOKS.replace(
    "def test(payload):", "def test(payload):\n    print('tests')\n    raise ValueError('no rows')"
)
BEGUN = "begun " * 20 + "\n"


class Site:
    """An agent of a hub that is a process of its own."""

    def __init__(self, folder: Path, listening: socket.socket) -> None:
        self._listening = listening
        self._folder = folder
        self.site = folder / "site"
        self.hub = self.start_hub()
        self.agents: list[subprocess.Popen[str]] = []

    def start_hub(self) -> Hub:
        self.hub = Hub.embedded(self._folder / "hub", self._listening)
        return self.hub

    def create(self, hooks: str) -> None:
        write_project(self.site, loops=1, hooks=hooks)
        (self.site / "token").write_text(AGENT)
        (self.site / "token").chmod(0o600)
        (self.site / "agent.yaml").write_text(
            f"platform: {{url: '{self.hub.url}', token_file: token}}\n"
            "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
        )
        settings = {"name": "toy", "classes": 3, "batch": 5, "loops": 1, "strategy": "margin"}
        assert self.hub.operate("POST", "/v1/experiments", {"settings": settings}).ok

    def run(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "alectio_agent", "run", "--once"]
        agent = subprocess.Popen(
            command, cwd=self.site, stderr=subprocess.PIPE, text=True, env=os.environ
        )
        self.agents.append(agent)
        return agent

    def log(self, query: str = "") -> requests.Response:
        return self.hub.operate("GET", LOG + query)

    def until(self, is_there: Callable[[str], bool]) -> str:
        """Read the log until it holds what is waited for."""
        pause = Event()
        for _ in range(int(PATIENCE_S / 0.1)):
            answer = self.log()
            if answer.ok and is_there(answer.text):
                return answer.text
            pause.wait(0.1)
        raise AssertionError(f"not within {format_duration(PATIENCE_S)}: {answer.text}")

    def go(self) -> None:
        self.site.mkdir(exist_ok=True)
        (self.site / "go").touch()

    def close(self) -> None:
        self.go()
        for agent in self.agents:
            agent.kill()
            if agent.stderr is not None and not agent.stderr.closed:
                agent.communicate()
        self.hub.kill()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with listening_socket() as listening:
        made = Site(tmp_path, listening)
        yield made
        made.close()


def test_prints_are_at_the_hub_while_the_hook_runs_and_all_of_them_at_the_end(site: Site) -> None:
    site.create(WAITING)
    agent = site.run()
    assert site.until(lambda text: BEGUN in text) == BEGUN
    site.go()
    agent.communicate()
    assert site.log().text == BEGUN + "gone on\n"


def test_after_a_failure_the_traceback_is_at_the_hub(site: Site) -> None:
    site.create(BROKEN)
    _, said = site.run().communicate()
    text = site.log().text
    assert text.startswith("tests\n")
    assert "Traceback (most recent call last):" in text
    assert "ValueError: no rows" in text
    assert "its log" not in said


def test_an_agent_that_was_killed_goes_on_with_the_log(site: Site) -> None:
    site.create(WAITING)
    first = site.run()
    site.until(lambda text: BEGUN in text)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    site.go()
    site.run().communicate()
    (file,) = (site.site / ".alectio" / "logs").glob("toy-0-a*.log")
    assert site.log().text == file.read_text()
    assert file.read_text().count(BEGUN) == 2, "its train was run again"


def test_a_hub_that_was_killed_gets_the_rest(site: Site) -> None:
    site.create(WAITING)
    agent = site.run()
    site.until(lambda text: BEGUN in text)
    site.hub.kill()
    site.start_hub()
    site.go()
    agent.communicate()
    assert site.until(lambda text: "gone on" in text) == BEGUN + "gone on\n"


def test_the_command_reads_the_copy_of_the_hub(site: Site, tmp_path: Path) -> None:
    site.create(WAITING)
    site.go()
    site.run().communicate()
    (tmp_path / "operator").write_text(site.hub.operator_token)
    (tmp_path / "operator").chmod(0o600)
    hub = ("--hub", site.hub.url, "--token-file", str(tmp_path / "operator"))
    shown = run_command("logs", "toy", *hub, cwd=tmp_path)
    assert shown.stdout == BEGUN + "gone on\n"
    assert "toy/0, attempt 1: as the hub has it" in shown.stderr
    last = run_command("logs", "toy/0", "-n", "1", "--json", *hub, cwd=tmp_path)
    assert json.loads(last.stdout) == {"job": "toy/0", "attempt": 1, "line": "gone on"}
    for words, told in ((["toy/7"], "nothing that toy/7 printed"), (["other"], "no experiment")):
        missing = run_command("logs", *words, *hub, cwd=tmp_path)
        assert missing.returncode == 2
        assert told in missing.stderr
    # Beside an agent of another machine, whose platform is that hub.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "agent.yaml").write_text((site.site / "agent.yaml").read_text())
    (elsewhere / "processes.py").write_text(HOOKS)
    beside = run_command("logs", "toy/0", *hub[2:], cwd=elsewhere)
    assert beside.stdout == shown.stdout
    assert run_command("logs", "toy/0", cwd=elsewhere).returncode == 2


def test_following_the_copy_of_the_hub_ends_with_ctrl_c(site: Site, tmp_path: Path) -> None:
    site.create(WAITING)
    site.run()
    site.until(lambda text: BEGUN in text)
    (tmp_path / "operator").write_text(site.hub.operator_token)
    (tmp_path / "operator").chmod(0o600)
    words = ["logs", "-f", "toy", "--hub", site.hub.url, "--token-file", tmp_path / "operator"]
    following = subprocess.Popen(
        [sys.executable, "-m", "alectio_agent", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert following.stdout is not None
    assert following.stdout.readline() == BEGUN
    site.go()
    assert following.stdout.readline() == "gone on\n"
    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=PATIENCE_S)
    assert following.returncode == 0
    assert "Traceback" not in said


def test_a_lease_of_another_job_and_wrong_places_are_refused(site: Site) -> None:
    site.create(BROKEN)
    job = "/v1/jobs/no-such-job/log"
    wrong = site.hub.call("PUT", f"{job}?attempt=1&offset=0", b"x", Alectio_Lease="lease-9")
    assert (wrong.status_code, wrong.json()["type"]) == (409, "lease-lost")
    for query in ("?attempt=1&offset=-1", "?attempt=x&offset=0", "?attempt=1"):
        wrong = site.hub.call("PUT", job + query, b"\xff\xfe", Alectio_Lease="lease-9")
        assert (wrong.status_code, wrong.json()["type"]) == (422, "invalid")
    assert site.log().status_code == 404
    assert site.hub.call("GET", LOG).status_code == 403
