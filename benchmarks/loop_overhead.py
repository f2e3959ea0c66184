"""What the agent costs around hooks that do nothing. Prints figures, baselines and ratios."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

LOOPS = 60
POOL = 70  # so that the last loops infer on 10 samples, the first on 69
IDLE_S = 20
STARTS = 7

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
        measure_loop(Path(folder))
    measure_help()


def measure_loop(folder: Path) -> None:
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
        baseline_ms = measure_baseline(folder)
        report("one no-op loop, median", loop_ms(loops), baseline_ms, "ms", 60)
        measure_idle(agent.pid)
    finally:
        agent.send_signal(signal.SIGINT)
        agent.wait(30)


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


def loop_ms(loops: list[dict]) -> float:
    """Median time from the end of one loop to the end of the next, the last 20 loops."""
    ends = [datetime.fromisoformat(loop["times"]["done_at"]) for loop in loops[-21:]]
    gaps = [(later - earlier).total_seconds() * 1000 for earlier, later in pairwise(ends)]
    return statistics.median(gaps)


def measure_baseline(folder: Path) -> float:
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
    return statistics.median(times)


def write_synced(file: Path, text: str) -> None:
    with file.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def measure_idle(pid: int) -> None:
    command = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    waiting = subprocess.Popen(command)
    try:
        before = [cpu_s(pid), cpu_s(waiting.pid)]
        threading.Event().wait(IDLE_S)
        used = [cpu_s(pid) - before[0], cpu_s(waiting.pid) - before[1]]
        report("idle agent, processor", used[0] / IDLE_S * 100, used[1] / IDLE_S * 100, "%", 0.5)
        report("agent, resident memory", rss_mb(pid), rss_mb(waiting.pid), "MB", 60)
    finally:
        waiting.kill()
        waiting.wait()


def measure_help() -> None:
    def seconds(*command: str) -> float:
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start

    found, bare = [], []
    for _ in range(STARTS):
        found.append(seconds(sys.executable, "-m", "alectio_agent", "--help"))
        bare.append(seconds(sys.executable, "-c", "pass"))
    report("alectio-agent --help", statistics.median(found), statistics.median(bare), "s", 0.4)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def report(what: str, found: float, baseline: float, unit: str, ceiling: float) -> None:
    ratio = f"{found / baseline:7.1f} x" if baseline > 0 else "       -"
    print(
        f"{what:26} {found:8.3f} {unit:3}  baseline {baseline:8.3f} {unit:3}  {ratio}"
        f"   ceiling {ceiling:g} {unit}"
    )


if __name__ == "__main__":
    main()
