"""What the agent costs around hooks that do nothing, and how soon the command line answers."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.harness import Figure, is_quick, publish

LOOPS, STARTS = (3, 1) if is_quick() else (60, 7)
POOL = LOOPS + 10  # so that the last loops infer on 10 samples, the first on 69

HOOKS = """
from pathlib import Path

def train(payload):
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_bytes(b"x")

def test(payload):
    return {"predictions": [0, 1] * 5, "labels": [0, 1, 1, 0, 0] * 2}

def infer(payload):
    return {"outputs": {index: [0.1 * (index % 7), 1.0] for index in payload["unlabeled"]}}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        loop = measure_loop(Path(folder))
    publish("loop_overhead", [loop, measure_help()])


def measure_loop(folder: Path) -> Figure:
    (folder / "processes.py").write_text(HOOKS)
    (folder / "agent.yaml").write_text(
        f"pipelines:\n  noop: {{hooks: processes.py, pool_size: {POOL}}}\n"
        "experiment: experiment.yaml\n"
    )
    (folder / "experiment.yaml").write_text(
        f"name: noop\ntask: classification\nclasses: 2\nbatch: 1\nloops: {LOOPS}\n"
    )
    command = [sys.executable, "-m", "alectio_agent", "run", "--stay", "-q"]
    agent = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        loops = wait_for_loops(folder / "results" / "noop" / "experiment.json", agent)
    finally:
        agent.send_signal(signal.SIGINT)
        agent.wait(30)
    what, beside = "one loop of hooks that do nothing", "the functions in one process, synced"
    return Figure(what, "ms", loop_ms(loops), beside, measure_baseline(folder), ceiling=60)


def wait_for_loops(file: Path, agent: subprocess.Popen[bytes]) -> list[dict]:
    """Look at the results file until the experiment is finished."""
    pause = threading.Event()
    while agent.poll() is None:
        if file.exists():
            found = json.loads(file.read_text())
            if found["state"] == "finished":
                return found["loops"]
        pause.wait(0.2)
    raise SystemExit(f"the agent ended early with exit code {agent.returncode}")


def loop_ms(loops: list[dict]) -> tuple[float, ...]:
    """Times from the end of one loop to the end of the next, the last 20 loops."""
    ends = [datetime.fromisoformat(loop["times"]["done_at"]) for loop in loops[-21:]]
    return tuple((later - earlier).total_seconds() * 1000 for earlier, later in pairwise(ends))


def measure_baseline(folder: Path) -> tuple[float, ...]:
    """The same functions in this process, each result written and synced."""
    names: dict = {}
    exec(compile(HOOKS, "processes.py", "exec"), names)
    payload = {"ckpt_dir": str(folder), "ckpt_file": "baseline", "unlabeled": list(range(10))}
    times = []
    for _ in range(50):
        start = time.perf_counter()
        for step in ("train", "test", "infer"):
            write_synced(folder / f"baseline-{step}.json", json.dumps(names[step](payload)))
        times.append((time.perf_counter() - start) * 1000)
    return tuple(times)


def write_synced(file: Path, text: str) -> None:
    with file.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def measure_help() -> Figure:
    def seconds(*command: str) -> float:
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start

    found, bare = [], []
    for _ in range(STARTS):
        found.append(seconds(sys.executable, "-m", "alectio_agent", "--help"))
        bare.append(seconds(sys.executable, "-c", "pass"))
    beside = "an interpreter that does nothing"
    return Figure("alectio-agent --help", "s", tuple(found), beside, tuple(bare), ceiling=0.4)


if __name__ == "__main__":
    main()
