"""From a claim with a million indices to the hook that gets them: a hub, an agent, real files."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import closing
from datetime import datetime
from pathlib import Path

from benchmarks.harness import Figure, publish

POOL = 1_000_000
RUNS = 5
PAUSE = threading.Event()

# `infer` is called with the million, and fails: what is done with its rows is measured elsewhere.
HOOKS = """
import time
from pathlib import Path

def stamp(payload, name):
    Path(payload["ckpt_dir"], name).write_text(str(time.time()))

def train(payload):
    stamp(payload, "train-begins")
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_bytes(b"x")

def test(payload):
    stamp(payload, "test-ends")
    return {"predictions": [0, 1], "labels": [0, 1]}

def infer(payload):
    stamp(payload, "infer-begins")
    raise RuntimeError(len(payload["unlabeled"]))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))


def measure(folder: Path) -> None:
    (folder / "processes.py").write_text(HOOKS)
    hub = start(folder, "hub", "serve", "--data", "hub", "--port", "0")
    assert hub.stdout is not None
    token, url = [line.split()[1 if "hub:" in line else 0] for line in read_lines(hub, 3)[1:]]
    token_file = folder / "token"
    agent_token = call(url, token, "/v1/tokens", {"name": "agent", "scope": "agent"})["token"]
    token_file.write_text(agent_token)
    token_file.chmod(0o600)
    (folder / "agent.yaml").write_text(
        f'platform: {{url: "{url.rstrip(",")}", token_file: {token_file}}}\n'
        f"pipelines:\n  noop: {{hooks: processes.py, pool_size: {POOL}}}\n"
    )
    agent = start(folder, "run", "-q")
    try:
        figures = [one_claim(folder, url, token, f"claim-{run}") for run in range(RUNS)]
    finally:
        for process in (agent, hub):
            process.send_signal(signal.SIGINT)
            process.wait(60)
    baseline = tuple(baseline_s() for _ in range(RUNS))
    told, found = "claim of 1e6 indices, to the hooks", tuple(figures)
    words = ("the list to JSON and back", baseline)
    publish("claim", [Figure(told, "s", found, most=1), Figure(told, "s", found, *words)])


def one_claim(folder: Path, url: str, token: str, name: str) -> float:
    """Seconds from the claim to its first hook, and from the hook before to the one with it."""
    settings = {"name": name, "pipeline": "noop", "classes": 2, "batch": 1, "loops": 2}
    call(url, token, "/v1/experiments", {"settings": {**settings, "pool": POOL}})
    stamps = folder / "checkpoints" / name
    while not (stamps / "infer-begins").exists():
        PAUSE.wait(0.05)
    train, tested, infer = (
        float((stamps / file).read_text()) for file in ("train-begins", "test-ends", "infer-begins")
    )
    return train - issued_s(folder, name) + infer - tested


def issued_s(folder: Path, name: str) -> float:
    """When the hub began to build the claim."""
    query = (
        "SELECT issued_at FROM attempts JOIN jobs USING (job_id) "
        "JOIN experiments USING (experiment_id) WHERE name = ?"
    )
    with closing(sqlite3.connect(f"file:{folder}/hub/hub.db?mode=ro", uri=True)) as database:
        return datetime.fromisoformat(database.execute(query, (name,)).fetchone()[0]).timestamp()


def baseline_s() -> float:
    begun = time.perf_counter()
    json.loads(json.dumps(list(range(POOL))))
    return time.perf_counter() - begun


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "alectio_agent", *words]
    root = {"PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # tells of each `infer` that fails
        text=True,
        env={**os.environ, **root},
    )


def read_lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def call(url: str, token: str, path: str, document: dict) -> dict:
    headers = {
        "Authorization": f"Bearer {token}",
        "Alectio-Protocol": "1",
        "Content-Type": "application/json",
    }
    body = json.dumps(document).encode()
    request = urllib.request.Request(url.rstrip(",") + path, body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    main()
