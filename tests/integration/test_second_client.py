"""An agent that shares no code with ours, written from the wire page, works for a real hub."""

import ast
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import second_client
from tests.support.hub_agent import create_experiment
from tests.support.hub_process import AGENT, Hub
from tests.support.hub_thread import TalkedTo, hub_in_thread
from tests.support.second_client import RefusedError, SecondClient

POOL = 12_000
"""So many rows of 4 scores are a part of 290 KB: five slices."""


def client(hub: Hub, pool: int = POOL, **said: Any) -> SecondClient:
    made = SecondClient(hub.url.removeprefix("http://"), hub.agent_token, "digits", pool, **said)
    made.register()
    return made


def ended(hub: Hub) -> dict[str, Any]:
    """The experiment once it has ended."""
    found: dict[str, Any] = {"state": "running", "version": 0}
    while found["state"] == "running":
        query = f"after={found['version']}&wait_s=20"
        found = hub.operate("GET", f"/v1/experiments/digits?{query}").json()
    return found


@pytest.fixture
def hub(tmp_path: Path, listening: socket.socket) -> Iterator[Hub]:
    started = Hub.embedded(tmp_path / "hub", listening)
    yield started
    started.kill()


def test_it_shares_no_code_with_ours() -> None:
    tree = ast.parse(Path(second_client.__file__).read_text("utf-8"))
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add((node.module or "").split(".")[0])
    assert named <= sys.stdlib_module_names


def test_it_runs_an_experiment_to_its_end_with_results_in_slices(hub: Hub) -> None:
    create_experiment(
        hub, classes=4, batch=100, loops=4, pool=POOL,
        strategy=[{"name": "margin", "share": 0.9}, {"name": "random", "share": 0.1}],
    )  # fmt: skip
    agent = client(hub, classes=4)
    agent.run(lambda: len(agent.done) == 4)
    agent.leave()
    found = ended(hub)
    assert found["state"] == "finished"
    assert [loop["labels"] for loop in found["loops"]] == [100, 200, 300, 400]
    assert found["loops"][-1]["metrics"]["accuracy"] == 1.0
    assert "margin" in found["loops"][1]["chosen_by"]


def test_the_scores_that_it_sent_decide_what_is_chosen(hub: Hub) -> None:
    """The narrowest margins of its own scores, worked out here once more."""
    create_experiment(hub, batch=30, loops=2, pool=500, strategy="margin")
    agent = client(hub, pool=500)
    agent.run(lambda: len(agent.done) == 2)
    first, second = [set(loop["selected"]) for loop in ended(hub)["loops"]]
    gaps = {
        index: abs(index * 7919 % 12_007 - index * 7932 % 12_007)
        for index in set(range(500)) - first
    }
    chosen, left = (
        [gaps[index] for index in second],
        [gap for index, gap in gaps.items() if index not in second],
    )
    assert len(chosen) == 30
    assert max(chosen) <= min(left)


def test_slices_go_on_after_a_cut_where_they_were(hub: Hub) -> None:
    """Another process of the agent knows nothing; the hub does."""
    create_experiment(hub, loops=2, pool=POOL)
    agent = client(hub)
    job = agent.claim()
    assert job is not None
    agent.beat(job, "train")
    part = second_client.npz({index: [0.5, index / POOL] for index in range(POOL)})
    sha256 = second_client.hashlib.sha256(part).hexdigest()
    half = part[: second_client.SLICE_BYTES]
    told = f"bytes 0-{len(half) - 1}/{len(part)}"
    agent.about(job, "PUT", f"parts/{sha256}", half, told)
    gap = f"bytes {2 * len(half)}-{2 * len(half)}/{len(part)}"
    with pytest.raises(RefusedError, match="parts-missing") as caught:
        agent.about(job, "PUT", f"parts/{sha256}", b"x", gap)
    assert caught.value.document["missing"] == [{"sha256": sha256, "have": len(half)}]
    agent.send_part(job, sha256, part)
    assert agent.about(job, "PUT", f"parts/{sha256}", b"", f"bytes */{len(part)}") == {
        "status": "accepted",
        "have": len(part),
    }


@contextmanager
def started_agent(address: str, name: str) -> Iterator["subprocess.Popen[str]"]:
    """An agent in a process of its own, that stays in its first job."""
    words = [address, AGENT, "digits", "40", name]
    with subprocess.Popen(
        [sys.executable, second_client.__file__, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def test_of_two_agents_one_is_killed_and_the_other_takes_over(
    tmp_path: Path, listening: socket.socket
) -> None:
    address = f"127.0.0.1:{listening.getsockname()[1]}"
    with hub_in_thread(tmp_path / "hub", listening) as clock:
        hub = TalkedTo(f"http://{address}")
        create_experiment(hub, loops=3)
        with started_agent(address, "first") as first:
            assert first.stdout is not None
            assert first.stdout.readline() == "digits/0\n"
            second = client(hub, pool=40)
            first.kill()
        assert hub.operate("POST", "/v1/experiments/digits/reassign").status_code == 409
        clock.advance(91)
        assert hub.operate("POST", "/v1/experiments/digits/reassign").status_code == 200
        second.run(lambda: len(second.done) == 3)
        loops = ended(hub)["loops"]
    assert [loop["agent"] for loop in loops] == ["second"] * 3
    assert [loop["attempt"] for loop in loops] == [2, 1, 1]
