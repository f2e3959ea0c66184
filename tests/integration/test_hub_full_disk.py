"""A hub whose disk is full: no verdict, nothing half counted, and on it goes when there is room."""

import hashlib
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from requests import Response

from tests.support.hub_agent import HubAgent, create_experiment
from tests.support.hub_process import Hub
from tests.support.results import until

DISK_BYTES = 8 * 2**20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of eight megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("to mount a small disk takes root")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def hub(disk: Path, listening: socket.socket) -> Iterator[Hub]:
    started = Hub.embedded(disk / "hub", listening)
    yield started
    started.kill()


def fill(disk: Path) -> Path:
    """Take all room that is left; gives the file to remove."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**16, 2**12):
            while _took(file.fileno(), size):
                pass
    return filler


def _took(file: int, size: int) -> bool:
    try:
        return os.write(file, b"x" * size) > 0
    except OSError:
        return False


def until_refused(call: Callable[[int], Response]) -> int:
    """Call on until the disk refuses; how many calls were taken before."""
    for number in range(1000):
        answer = call(number)
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text
            assert answer.json()["type"] == "about:blank", "no verdict: an agent tries again"
            return number
    raise AssertionError("the disk takes everything")


def settings(number: int) -> dict[str, Any]:
    """Of an experiment that takes some room in the tables."""
    named = [f"class {at} of many of this experiment" for at in range(400)]
    return {"name": f"full-{number}", "pipeline": "digits", "classes": named, "batch": 4,
            "loops": 5, "pool": 40, "strategy": "random"}  # fmt: skip


def test_a_full_disk_refuses_nothing_for_good_and_counts_nothing_by_halves(
    hub: Hub, disk: Path
) -> None:
    create_experiment(hub, loops=2)
    agent = HubAgent(hub)
    job = agent.claim()
    agent.beat(job)
    agent.deliver(job, upto="train")

    filler = fill(disk)
    content = os.urandom(2**20)
    part = f"parts/{hashlib.sha256(content).hexdigest()}"
    for _ in range(30):
        assert agent.about(job, "PUT", part, content).status_code == 503
    create = lambda number: hub.operate("POST", "/v1/experiments", {"settings": settings(number)})  # noqa: E731
    taken = until_refused(create)
    for _ in range(30):
        assert create(taken).status_code == 503
    listed = hub.operate("GET", "/v1/experiments").json()["experiments"]
    assert len(listed) == 1 + taken, "what was refused is not there, what was taken is"
    agent.beat(job, step="test")

    filler.unlink()
    assert agent.about(job, "PUT", part, content).status_code == 200
    assert create(taken).status_code == 200
    agent.deliver(job)
    until(lambda: hub.operate("GET", "/v1/experiments/digits").json()["loops"][0]["metrics"])
    for experiment in range(taken + 1):
        hub.operate("POST", f"/v1/experiments/full-{experiment}/cancel")
    agent.run_loop()
    until(lambda: hub.operate("GET", "/v1/experiments/digits").json()["state"] == "finished")

    code, told = hub.stop()
    assert code == 0
    complaints = [line for line in told.splitlines() if "E-DISK-01" in line]
    assert 1 <= len(complaints) <= 10, told
    assert "Traceback" not in told
