"""What results files cost: the loop's time with and without them, one report, one large output."""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from alectio_agent.report.page import Told, render_page
from benchmarks.harness import Figure, is_quick, publish
from tests.support.documents import make_document

LOOPS, ROUNDS = (3, 1) if is_quick() else (120, 4)
WARM_UP = LOOPS // 6
POOL = LOOPS + 10
ROWS, COLUMNS, PART_ROWS = 10_000 if is_quick() else 1_000_000, 10, 87_000

HOOKS = """
from pathlib import Path

def train(payload):
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_bytes(b"x")

def test(payload):
    return {"predictions": [0, 1] * 5, "labels": [0, 1, 1, 0, 0] * 2}

def infer(payload):
    return {"outputs": {index: [0.1 * (index % 7), 2.0] for index in payload["unlabeled"]}}
"""

# Read by every interpreter that is started in the folder; changes the hub only: it asks for no
# results files before its end.
WITHOUT = """
import sys
if "embedded" in sys.orig_argv:
    from alectio_agent.hub.results.writer import ResultsWriter
    ResultsWriter.step = lambda self: 3600.0
"""


MERGE = """
import os, re, sys, time
from pathlib import Path
from alectio_agent.hub.results.arrays import check_parts, write_parts
made, *parts = map(Path, sys.argv[1:])
def peak_mb():  # not ru_maxrss: that begins with the parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000
before = peak_mb()
start = time.perf_counter()
with made.open("w+b") as file:
    write_parts(parts, check_parts(parts), file)
    file.flush()
    os.fsync(file.fileno())
seconds = time.perf_counter() - start
print(seconds, peak_mb() - before)
"""


def main() -> None:
    publish("results_files", [*measure_report(), *measure_output(), measure_loops()])


def measure_report() -> list[Figure]:
    document = make_document(loops=25, classes=10, batch=200, pool=12_000)
    start = time.perf_counter()
    page = render_page(Told(document))
    seconds = time.perf_counter() - start
    return [
        Figure("report of 25 loops, 10 classes: making it", "s", (seconds,), most=2),
        Figure("report of 25 loops, 10 classes: size", "MB", (len(page) / 1e6,), most=6),
    ]


def measure_output() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for start in range(0, ROWS, PART_ROWS):
            index = np.arange(start, min(start + PART_ROWS, ROWS))
            parts.append(str(Path(folder, f"part-{start}.npz")))
            np.savez(parts[-1], index=index, logits=np.ones((len(index), COLUMNS), "<f4"))
        made = Path(folder, "loop_0.npz")
        told = subprocess.check_output([sys.executable, "-c", MERGE, str(made), *parts], text=True)
        seconds, more_mb = told.split()
    label = f"output of {ROWS:,} x {COLUMNS}, {len(parts)} parts"
    return [
        Figure(f"{label}: making it", "s", (float(seconds),)),
        Figure(f"{label}: memory", "MB", (float(more_mb),), most=20),
    ]


def measure_loops() -> Figure:
    """With and without in turn, so that a change of the machine's mood hits both."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for is_with in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                found[is_with].append(loop_ms(run(Path(folder), is_with=is_with)))
    what = "one such loop with results files"
    return Figure(what, "ms", tuple(found[True]), "without them", tuple(found[False]))


def run(folder: Path, *, is_with: bool) -> list[dict]:
    (folder / "processes.py").write_text(HOOKS)
    (folder / "agent.yaml").write_text(
        f"pipelines:\n  noop: {{hooks: processes.py, pool_size: {POOL}}}\n"
        "experiment: experiment.yaml\n"
    )
    (folder / "experiment.yaml").write_text(
        f"name: noop\ntask: classification\nclasses: 2\nbatch: 1\nloops: {LOOPS}\n"
    )
    (folder / "sitecustomize.py").write_text("" if is_with else WITHOUT)
    command = [sys.executable, "-m", "alectio_agent", "run", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return json.loads((folder / "results" / "noop" / "experiment.json").read_text())["loops"]


def loop_ms(loops: list[dict]) -> float:
    """Median time from the end of one loop to the end of the next, but for the first ones."""
    ends = [datetime.fromisoformat(loop["times"]["done_at"]) for loop in loops[WARM_UP:]]
    return median((b - a).total_seconds() * 1000 for a, b in pairwise(ends))


if __name__ == "__main__":
    main()
