"""What results files cost: the loop's time with and without them, one report, one large output."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

from alectio_agent.report.page import Told, render_page
from tests.support.documents import make_document

LOOPS = 120
POOL = 130
ROUNDS = 4
ROWS, COLUMNS, PART_ROWS = 1_000_000, 10, 87_000

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
    measure_report()
    measure_output()
    measure_loops()


def measure_report() -> None:
    document = make_document(loops=25, classes=10, batch=200, pool=12_000)
    start = time.perf_counter()
    page = render_page(Told(document))
    seconds = time.perf_counter() - start
    print(f"report, 25 loops, 10 classes        {seconds:8.3f} s    {len(page) / 1e6:6.2f} MB")


def measure_output() -> None:
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
        print(f"{label:36}{float(seconds):8.3f} s    {made.stat().st_size / 1e6:6.1f} MB", end="")
        print(f"    {float(more_mb):.0f} MB of memory beside the libraries")


def measure_loops() -> None:
    """With and without in turn, so that a change of the machine's mood hits both."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for is_with in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                found[is_with].append(loop_ms(run(Path(folder), is_with=is_with)))
    for is_with, label in ((False, "without"), (True, "with")):
        shown = ", ".join(f"{ms:.1f}" for ms in found[is_with])
        median = statistics.median(found[is_with])
        print(f"one no-op loop {label:8} results files {median:8.1f} ms   ({shown})")


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
    ends = [datetime.fromisoformat(loop["times"]["done_at"]) for loop in loops[20:]]
    return statistics.median((b - a).total_seconds() * 1000 for a, b in pairwise(ends))


if __name__ == "__main__":
    main()
