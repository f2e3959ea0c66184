"""A bulk result of a real agent to a real hub, through proxies that are in the way."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub_process import Hub
from tests.support.proxies import Manners, Proxy, proxying

ROWS = 100_000  # 4.8 MB: two parts
HUB = "hub.example"
HOOKS = f"""
from pathlib import Path
import numpy as np

def train(payload):
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_bytes(b"x")

def test(payload):
    return {{"predictions": [0, 1], "labels": [0, 1]}}

def infer(payload):
    samples = np.array(payload["unlabeled"])
    scores = np.random.default_rng(3).normal(size=({ROWS}, 10)).astype("float32")
    return {{"outputs": scores[samples], "indices": samples}}
"""
WAIT_S = 120


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub.served(tmp_path / "hub")
    settings = {
        "name": "bulk", "pipeline": "bulk", "classes": 10, "batch": 1, "loops": 2,
        "strategy": "random", "pool": ROWS,
    }  # fmt: skip
    assert hub.operate("POST", "/v1/experiments", {"settings": settings}).status_code == 200
    yield hub
    hub.kill()


@pytest.fixture
def proxy(hub: Hub) -> Iterator[Proxy]:
    place = ("127.0.0.1", int(hub.url.rpartition(":")[2]))
    with proxying(Manners({f"{HUB}:80": place})) as found:
        yield found


def run_one_job(folder: Path, hub: Hub, proxy: Proxy) -> None:
    """An agent that sees the hub only through the proxy, until its job is delivered."""
    made = hub.operate("POST", "/v1/tokens", {"name": "gpu01", "scope": "agent"})
    (folder / "token").write_text(made.json()["token"])
    (folder / "token").chmod(0o600)
    (folder / "processes.py").write_text(HOOKS)
    (folder / "agent.yaml").write_text(
        f"platform: {{url: 'http://{HUB}', token_file: token, allow_insecure_http: true}}\n"
        f"proxy: {{url: '{proxy.url}'}}\nagent: {{state_dir: state}}\n"
        f"pipelines:\n  bulk: {{hooks: processes.py, pool_size: {ROWS}}}\n"
    )
    command = [sys.executable, "-m", "alectio_agent", "run", "-q"]
    with (folder / "agent.log").open("wb") as log:
        agent = subprocess.Popen(command, cwd=folder, stderr=log)
    try:
        ends_s = time.monotonic() + WAIT_S
        while hub.operate("GET", "/v1/experiments/bulk").json()["loops"][0]["state"] != "done":
            assert agent.poll() is None, (folder / "agent.log").read_text()
            assert time.monotonic() < ends_s, (folder / "agent.log").read_text()
    finally:
        agent.terminate()
        agent.wait(WAIT_S)


def spans(proxy: Proxy) -> list[tuple[str, int, int, int]]:
    """Slices that were tried: digest, first byte, end, size of the part."""
    found = (
        re.search(rb"/parts/(\w+) .*content-range: bytes (\d+)-(\d+)/(\d+)", head, re.S | re.I)
        for head in proxy.heads
    )
    return [(str(m[1]), int(m[2]), int(m[3]) + 1, int(m[4])) for m in found if m is not None]


def test_a_result_passes_a_proxy_that_takes_only_small_bodies(
    tmp_path: Path, hub: Hub, proxy: Proxy
) -> None:
    proxy.manners.limit_bytes = 100_000
    run_one_job(tmp_path, hub, proxy)
    tried = spans(proxy)
    passed = [stop - start for _, start, stop, _ in tried if stop - start <= 100_000]
    assert sum(passed) >= 48 * (ROWS - 1)
    # Where halving ends depends on how many parts were under way; never below the floor.
    assert max(passed) >= 64 * 1024
    refused = len(tried) - len(passed)
    assert refused < 20, "larger ones are tried again ever more seldom"


def test_a_cut_poll_and_a_cut_upload_cost_no_job_and_few_bytes(
    tmp_path: Path, hub: Hub, proxy: Proxy
) -> None:
    """The job was given out already when the answer to its poll is lost."""
    proxy.manners.cuts = first_with(rb"POST \S+/v1/claims ")
    is_cut = first_with(rb"PUT \S+/parts/")
    proxy.manners.cuts_body = lambda head: 300_000 if is_cut(head) else None
    run_one_job(tmp_path, hub, proxy)
    claims = [line for line in proxy.asked if line.endswith("/v1/claims")]
    assert len(claims) >= 2
    view = hub.operate("GET", "/v1/experiments/bulk").json()
    assert view["loops"][0]["attempt"] == 1, "the same attempt was handed out again"


def first_with(pattern: bytes):
    """Whether a request is the first one like that."""
    seen = []

    def is_first(head: bytes) -> bool:
        if not re.match(pattern, head):
            return False
        seen.append(head)
        return len(seen) == 1

    return is_first
