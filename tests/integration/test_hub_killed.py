"""A hub that is killed in the middle of commits: what was answered is there, and nothing twice."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest
import requests

from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import Hub

NAMES = [f"digits-{number}" for number in range(6)]
STEPS = ("train", "test", "infer")


class Delivery:
    """An agent with a job, which delivers its steps until the hub is gone."""

    def __init__(self, hub: Hub, name: str, accepted: Semaphore) -> None:
        create_experiment(hub, name, pipeline=name, loops=2)
        self.agent = HubAgent(hub, f"gpu-{name}", name)
        self.job: dict[str, Any] = self.agent.claim()
        self.agent.beat(self.job)
        self.done: list[str] = []
        self._accepted = accepted

    def run(self) -> None:
        """Send each step, and with it all steps before it once more; end with the connection."""
        for step in STEPS:
            try:
                self.agent.deliver(self.job, upto=step)
            except requests.ConnectionError:
                return
            self.done.append(step)
            self._accepted.release()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def hub(data: Path, listening: socket.socket) -> Iterator[Hub]:
    started = Hub.embedded(data, listening)
    yield started
    started.kill()


@pytest.mark.parametrize("accepted_before", [2, 9])
def test_a_hub_that_is_killed_between_commits_counts_each_once(
    hub: Hub, data: Path, listening: socket.socket, accepted_before: int
) -> None:
    accepted = Semaphore(0)
    deliveries = [Delivery(hub, name, accepted) for name in NAMES]
    with ThreadPoolExecutor(len(NAMES)) as threads:
        for delivery in deliveries:
            threads.submit(delivery.run)
        for _ in range(accepted_before):
            assert accepted.acquire(timeout=30)
        hub.kill()
        # Calls that came meanwhile wait at the socket, which is not the hub's own.
        again = Hub.embedded(data, listening)
    try:
        for delivery in deliveries:
            loop = show(again, delivery)["loops"][0]
            assert set(delivery.done) <= set(loop["seconds"]), "an answer that was not durable"
            delivery.agent.hub = again
            delivery.agent.deliver(delivery.job)
            loop = show(again, delivery)["loops"][0]
            assert (loop["state"], loop["attempt"]) == ("done", 1)
            assert loop["seconds"] == dict.fromkeys(steps_of(delivery), 1.5)
    finally:
        again.kill()


def steps_of(delivery: Delivery) -> list[str]:
    return [order["step"] for order in delivery.job["steps"]]


def show(hub: Hub, delivery: Delivery) -> dict[str, Any]:
    name = delivery.job["experiment"]
    view: dict[str, Any] = hub.operate("GET", f"/v1/experiments/{name}").json()
    return view
