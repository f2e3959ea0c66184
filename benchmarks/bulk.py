"""A million rows of ten scores on their way from a hook to the hub's disk.

A hub and an agent run as processes. In each loop the hook first sends the same bytes over a
plain socket into a synced file, then returns them; the agent notes when the hub has said that
they are committed. Prints figures, baselines and ratios.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.bulk_peers import CuttingProxy, RawServer, flask_s
from benchmarks.harness import Figure, is_quick, publish

ROWS, LOOPS, TRIES = (20_000, 4, 1) if is_quick() else (1_000_000, 12, 3)
RESULT_BYTES = ROWS * (8 + 10 * 4)
HOOKS = Path(__file__).with_name("bulk_hooks.py")
WAIT_S = 300


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, RawServer(Path(folder)) as raw:
        times, grown = measure_times(Path(folder, "times"), raw.port)
        shares = [measure_cut(Path(folder, f"cut-{run}"), raw.port) for run in range(TRIES)]
        flask = [] if is_quick() else [flask_s(Path(folder), ROWS) for _ in range(2)]
    publish("bulk", figures(times, grown, shares, flask))


def figures(times: dict, grown: dict, shares: list, flask: list) -> list[Figure]:
    raw = "raw socket + fsync"
    arrays, lists = times["arrays"], times["lists"]
    beside_flask = Figure(
        "as JSON to a plain Flask route", "ms", ms(flask), "ours from arrays", ms(arrays["ours"]),
        least=15,
    )  # fmt: skip
    return [
        Figure("from arrays, hook return to committed", "ms", ms(arrays["ours"]), raw,
               ms(arrays["raw"]), most=4),
        Figure("from {int: list}, hook return to committed", "ms", ms(lists["ours"]), raw,
               ms(lists["raw"]), most=8.3),
        *([beside_flask] if flask else []),
        Figure("agent's memory, peak over idle", "MB", (grown["agent"],), most=20),
        Figure("hub's memory, peak over idle", "MB", (grown["hub"],), most=40),
        Figure("sent again after a cut at 90 %", "%", tuple(shares), most=10),
    ]  # fmt: skip


def ms(seconds: list[float]) -> tuple[float, ...]:
    return tuple(second * 1000 for second in seconds)


def measure_times(folder: Path, raw_port: int) -> tuple[dict, dict]:
    """Every second loop returns lists; the first two warm up."""
    with serving(folder) as hub, working(folder, hub.url, raw_port, LOOPS) as agent:
        site = folder / "site"
        (site / "lists").touch()
        pids = {"agent": agent.pid, "hub": hub.pid}
        # In the last loop: after its result no claim with a million indices comes.
        (site / "watched").write_text(json.dumps({"loop": LOOPS - 1, "pids": pids}))
        for loop in range(LOOPS):
            settled(site, loop, agent)
        peaks = {name: peak_mb(pid) for name, pid in pids.items()}
        notes = [json.loads(line) for line in (site / "returned.jsonl").open()]
        times: dict = {form: {"ours": [], "raw": []} for form in ("arrays", "lists")}
        for note in notes[2:LOOPS]:
            committed = settled(site, note["loop"], agent)
            times[note["form"]]["ours"].append(committed - note["returned_at"])
            times[note["form"]]["raw"].append(note["raw_s"])
    before = notes[LOOPS - 1]["memory_mb"]
    # The kernel counts pages in steps: a peak may look smaller than what was there before.
    return times, {name: max(0.0, peaks[name] - before[name]) for name in pids}


def measure_cut(folder: Path, raw_port: int) -> float:
    """Per cent of a result that goes a second time when all connections are cut at 90 %."""
    with (
        serving(folder) as hub,
        CuttingProxy(hub.port, int(0.9 * RESULT_BYTES)) as proxy,
        working(folder, f"http://127.0.0.1:{proxy.port}", raw_port, 1) as agent,
    ):
        settled(folder / "site", 0, agent)
        return (proxy.sent_bytes - RESULT_BYTES) / RESULT_BYTES * 100


class Hub:
    """A hub process."""

    def __init__(self, pid: int, url: str, data: Path) -> None:
        self.pid, self.url, self.data = pid, url, data
        self.port = int(url.rsplit(":", 1)[1])


@contextmanager
def serving(folder: Path):
    data = folder / "hub"
    folder.mkdir()
    command = [*ours("hub", "serve"), "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = ""
        while "http://" not in said or "alt_" not in said:
            said += process.stdout.readline()
        words = said.replace(",", " ").split()
        keep_secret(folder / "operator", next(word for word in words if word.startswith("alt_")))
        try:
            yield Hub(process.pid, next(word for word in words if word.startswith("http:")), data)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@contextmanager
def working(folder: Path, url: str, raw_port: int, loops: int):
    """An agent with its experiment; loops that infer, and one more."""
    site = folder / "site"
    site.mkdir()
    (site / "processes.py").write_text(HOOKS.read_text())
    (site / "rows").write_text(str(ROWS))
    (site / "raw_port").write_text(str(raw_port))
    made = run("hub", "token", "create", "gpu01", "--data", str(folder / "hub"))
    keep_secret(site / "token", made)
    (site / "agent.yaml").write_text(
        f"platform: {{url: '{url}', token_file: token}}\n"
        f"agent: {{state_dir: state}}\n"
        f"pipelines:\n  bulk: {{hooks: processes.py, pool_size: {ROWS + loops + 1}}}\n"
    )
    (site / "experiment.yaml").write_text(
        f"name: bulk\npipeline: bulk\ntask: classification\nclasses: 10\nbatch: 1\n"
        f"strategy: random\nloops: {loops + 1}\npool: {ROWS}\n"
    )
    operator = ("--hub", url, "--token-file", str(folder / "operator"))
    run("experiment", "create", str(site / "experiment.yaml"), *operator)
    agent = subprocess.Popen([*ours("run"), "-q"], cwd=site, stderr=subprocess.DEVNULL)
    try:
        yield agent
    finally:
        agent.send_signal(signal.SIGINT)
        agent.wait(60)


def settled(site: Path, loop: int, agent: subprocess.Popen) -> float:
    """When the agent had read that the result of a loop's infer is committed."""
    query = (
        "SELECT ended_at FROM messages JOIN jobs USING (lease) "
        "WHERE step = 'infer' AND messages.state = 'settled' AND jobs.job = ?"
    )
    ends_s, pause = time.monotonic() + WAIT_S, threading.Event()
    while time.monotonic() < ends_s and agent.poll() is None:
        database = site / "state" / "agent.db"
        if database.exists():
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as read:
                try:
                    rows = read.execute(query, (f"bulk/{loop}",)).fetchall()
                except sqlite3.OperationalError:
                    rows = []
            read.close()
            if rows:
                return datetime.fromisoformat(rows[0][0]).timestamp()
        pause.wait(0.25)
    raise SystemExit(f"loop {loop} was not committed in {WAIT_S} s")


def peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def run(*words: str) -> str:
    return subprocess.run(ours(*words), check=True, capture_output=True, text=True).stdout


def ours(*words: str) -> list[str]:
    return [sys.executable, "-m", "alectio_agent", *words]


def keep_secret(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
        stream.write(text)


if __name__ == "__main__":
    main()
