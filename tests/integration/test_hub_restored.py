"""A real hub that goes on from a backup of its folder, while its agents went on without it."""

import gzip
import hashlib
import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import Hub
from tests.support.results import until


class Site:
    """A hub's folder, the process that works in it, and a backup."""

    def __init__(self, folder: Path, listening: socket.socket) -> None:
        self.data, self.backup = folder / "hub", folder / "backup"
        self._listening = listening
        self.hub = Hub.embedded(self.data, listening)

    def save(self) -> None:
        """Copy the folder while the hub works, as a backup does: the database through SQLite."""
        shutil.copytree(self.data, self.backup, ignore=shutil.ignore_patterns("hub.db*", "*.lock"))
        with (
            closing(sqlite3.connect(self.data / "hub.db")) as source,
            closing(sqlite3.connect(self.backup / "hub.db")) as target,
        ):
            source.backup(target)

    def restore(self, *, files: bool = True) -> None:
        """End the hub as a lost disk does, and start another on the backup."""
        self.hub.kill()
        kept = () if files else ("parts",)
        for path in self.data.iterdir():
            if path.name not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(
            self.backup, self.data, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*kept)
        )
        self.hub = Hub.embedded(self.data, self._listening)

    def view(self) -> dict[str, Any]:
        answer = self.hub.operate("GET", "/v1/experiments/digits")
        view: dict[str, Any] = answer.json()
        return view


@pytest.fixture
def site(tmp_path: Path, listening: socket.socket) -> Iterator[Site]:
    made = Site(tmp_path, listening)
    yield made
    made.hub.kill()


def finish(site: Site, agent: HubAgent) -> dict[str, Any]:
    """Run what is left; the experiment once it is finished."""
    while site.view()["state"] != "finished":
        answer = agent.poll(wait_s=1)
        if answer.status_code == 200:
            job = answer.json()
            agent.beat(job)
            agent.deliver(job)
    return site.view()


def labels(view: dict[str, Any]) -> list[int]:
    return [loop["labels"] for loop in view["loops"]]


@pytest.mark.parametrize("files", [True, False])
def test_the_experiment_goes_on_from_the_older_state_to_the_same_end(
    site: Site, *, files: bool
) -> None:
    """Whether the part files are those of the backup, or newer than the tables."""
    create_experiment(site.hub, loops=4)
    agent = HubAgent(site.hub)
    agent.run_loop()
    job = agent.claim()
    agent.beat(job)
    agent.deliver(job, upto="train")
    site.save()

    agent.deliver(job)
    agent.run_loop()
    newer = agent.claim()
    agent.beat(newer)
    site.restore(files=files)

    agent.hub = site.hub
    answer = agent.about(newer, "POST", "heartbeat", {"step": "train"})
    assert answer.json()["type"] == "lease-lost"
    answer = agent.poll()
    assert (answer.status_code, answer.json()["type"]) == (404, "unknown-agent")
    agent.register("digits-ckpt_0", "digits-ckpt_1", "digits-ckpt_2")
    again = agent.claim()
    assert (again["job"], again["attempt"]) == ("digits/1", 2)
    assert [order["step"] for order in again["steps"]] == ["test", "infer"]
    agent.deliver(again)
    ended = finish(site, agent)
    assert labels(ended) == [4, 8, 12, 16]
    assert all(loop["state"] == "done" for loop in ended["loops"])


def test_an_agent_that_was_restarted_since_comes_back(site: Site) -> None:
    create_experiment(site.hub, loops=2)
    agent = HubAgent(site.hub)
    site.save()
    agent.boot_count, agent.seq = 2, 0
    agent.register()
    agent.run_loop()
    site.restore()
    agent.hub = site.hub
    answer = agent.poll()
    assert answer.json()["type"] == "unknown-agent"
    agent.register()
    assert labels(finish(site, agent)) == [4, 8]


def test_a_result_whose_files_are_older_than_the_tables_is_made_again(site: Site) -> None:
    """The selection of the next loop needs them."""
    create_experiment(site.hub, loops=2, strategy="margin")
    agent = HubAgent(site.hub)
    job = agent.claim()
    agent.beat(job)
    agent.deliver(job, upto="test")
    [infer] = [order for order in job["steps"] if order["step"] == "infer"]
    asked = infer["payload"]["unlabeled"]
    lines = "".join(f"{json.dumps([at, [at % 7 / 7, 0.5]])}\n" for at in asked)
    content = gzip.compress(lines.encode())
    sha256 = hashlib.sha256(content).hexdigest()
    part = {"sha256": sha256, "bytes": len(content), "rows": len(asked)}
    commit = {"key": "k1", "media_type": "application/x-ndjson", "rows": len(asked)}
    assert agent.about(job, "PUT", f"parts/{sha256}", content).status_code == 200
    file = site.data / "parts" / job["job_id"] / sha256

    # The file is gone in the moment in which its commit counts, and with it the selection's ground.
    site.hub.operate("POST", "/v1/experiments/digits/pause")
    assert agent.about(job, "PUT", "steps/infer", {**commit, "parts": [part]}).status_code == 200
    site.save()
    shutil.rmtree(site.backup / "parts")
    site.restore()
    assert not file.exists()
    agent.hub = site.hub
    agent.register("digits-ckpt_0")
    site.hub.operate("POST", "/v1/experiments/digits/resume")
    again = agent.claim()
    assert (again["job"], [order["step"] for order in again["steps"]]) == ("digits/0", ["infer"])
    agent.deliver(again)
    until(lambda: len(site.view()["loops"]) == 2)
    assert labels(finish(site, agent)) == [4, 8]
