"""An agent that was stopped (SIGSTOP, or a machine that stood still) past the end of its lease."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import AGENT, Hub
from tests.support.hub_thread import ForwardClock, TalkedTo, hub_in_thread
from tests.support.living import state_of
from tests.support.results import until
from tests.support.running import Running

pytestmark = pytest.mark.timeout(180)  # real waits: a lost lease is told with a beat

Site = tuple[Hub, ForwardClock, Path]
PAST_LEASE_S = 100
HOOKS = """
import json
from pathlib import Path

def train(payload):
    Path("begun", str(payload["loop"])).touch()
    while payload["loop"] == 0 and not Path("may_end").exists():
        __import__("threading").Event().wait(0.01)
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text("{}")

def test(payload):
    return {"predictions": {i: i % 2 for i in range(20)}, "labels": {i: i % 2 for i in range(20)}}

def infer(payload):
    return {"outputs": {i: [i % 7 / 7, 0.5] for i in payload["unlabeled"]}}
"""


def write_agent(folder: Path, url: str) -> Path:
    (folder / "begun").mkdir(parents=True)
    (folder / "token").touch(0o600)
    (folder / "token").write_text(AGENT)
    (folder / "processes.py").write_text(HOOKS)
    (folder / "agent.yaml").write_text(
        f"platform: {{url: '{url}', token_file: token}}\n"
        "pipelines: {digits: {hooks: processes.py, pool_size: 40}}\n"
    )
    return folder


def stand_still(agent: Running, clock: ForwardClock) -> None:
    """Stop the agent, not its hook, and let its lease run out."""
    agent.process.send_signal(signal.SIGSTOP)
    until(lambda: state_of(agent.process.pid) == "T")
    clock.advance(PAST_LEASE_S)


def begin(folder: Path, hub: Hub) -> Running:
    """An agent in the middle of the first `train`, whose first beat was accepted."""
    agent = Running(folder)
    until((folder / "begun" / "0").exists)
    assert view(hub)["loops"][0]["state"] == "running"
    return agent


def view(hub: Hub) -> dict[str, Any]:
    found: dict[str, Any] = hub.operate("GET", "/v1/experiments/digits").json()
    return found


@pytest.fixture
def site(tmp_path: Path, listening: socket.socket) -> Iterator[Site]:
    """A hub with an experiment of two loops, its clock, and the folder of an agent."""
    with hub_in_thread(tmp_path / "hub", listening) as clock:
        hub = TalkedTo(f"http://127.0.0.1:{listening.getsockname()[1]}")
        create_experiment(hub, loops=2, takeover_after="0s", affinity_timeout="0s")
        yield hub, clock, write_agent(tmp_path / "site", hub.url)


def test_what_another_agent_has_committed_meanwhile_is_left_to_it(site: Site) -> None:
    """The hook is ended, nothing of it counts, and the agent goes on with the next loop."""
    hub, clock, folder = site
    with begin(folder, hub) as agent:
        stand_still(agent, clock)
        other = HubAgent(hub, "gpu02")
        job = other.claim()
        assert (job["job"], job["attempt"]) == ("digits/0", 2)
        other.beat(job)
        other.deliver(job)
        agent.process.send_signal(signal.SIGCONT)
        agent.until("lease lost")
        (folder / "may_end").touch()
        until((folder / "begun" / "1").exists)
        until(lambda: view(hub)["state"] == "finished")
        assert view(hub)["loops"][0]["agent"] == "gpu02"
        agent.process.send_signal(signal.SIGTERM)
        assert agent.end() == 0


def test_a_job_that_nobody_took_meanwhile_is_finished(site: Site) -> None:
    """Its lease ran out, yet nothing was committed by another: the first commit wins."""
    hub, clock, folder = site
    with begin(folder, hub) as agent:
        stand_still(agent, clock)
        agent.process.send_signal(signal.SIGCONT)
        (folder / "may_end").touch()
        until(lambda: view(hub)["state"] == "finished")
        assert view(hub)["loops"][0]["attempt"] == 1
        agent.process.send_signal(signal.SIGTERM)
        assert agent.end() == 0
