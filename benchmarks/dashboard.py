"""How soon a hub with many experiments and agents answers people.

A real hub in the box, its agent beside it. One experiment runs to its end; its rows are then copied
in the hub's database, under other names, until there are as many as in a large house.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import requests

from benchmarks.harness import Figure, is_quick, publish

EXPERIMENTS, AGENTS = (2, 3) if is_quick() else (200, 1000)
LOOPS, REQUESTS = (2, 2) if is_quick() else (10, 20)
CEILING_MS = 200
START_S = 60
RESULTS_S = 300
QUIET_S = 0.5 if is_quick() else 5

HOOKS = """
from pathlib import Path

def train(payload):
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(str(len(payload["labeled"])))

def test(payload):
    right = int(Path(payload["ckpt_dir"], payload["ckpt_file"]).read_text())
    labels = {index: index % 10 for index in range(300, 400)}
    return {"predictions": {index: label if index % 97 < right / 2 else 0
                            for index, label in labels.items()}, "labels": labels}

def infer(payload):
    return {"outputs": {index: [float(index * column % 7) for column in range(10)]
                        for index in payload["unlabeled"]}}
"""

# Columns that tell one experiment, or one agent, from another, in whichever table.
OF_EXPERIMENT = {"experiment_id", "job_id", "lease", "train_lease"}
OF_AGENT = {"agent_id", "installation_id"}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder)
        command = [sys.executable, "-m", "alectio_agent", "run", "-q"]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        with closing(sqlite3.connect(folder / ".alectio/hub/hub.db")) as database, database:
            multiply(database)
        with running_hub(folder, [*command, "--stay"]) as (url, token):
            wait_until_quiet(folder / "results")
            paths = ("/v1/experiments", "/", "/agents")
            publish("dashboard", [measure(url, path, token) for path in paths])


def write_project(folder: Path) -> None:
    (folder / "processes.py").write_text(HOOKS)
    (folder / "agent.yaml").write_text(
        "pipelines:\n  many: {hooks: processes.py, pool_size: 300}\nexperiment: experiment.yaml\n"
    )
    (folder / "experiment.yaml").write_text(
        f"name: many\ntask: classification\nclasses: 10\nbatch: 10\nloops: {LOOPS}\n"
    )


def multiply(database: sqlite3.Connection) -> None:
    """Copy the experiment and the agent, with all rows that belong to them."""
    listed = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for name in ("experiments", *(name for (name,) in listed if name != "experiments")):
        copy_rows(database, name, OF_EXPERIMENT, EXPERIMENTS)
    for name in ("agents", "offers"):
        copy_rows(database, name, OF_AGENT, AGENTS)


def copy_rows(database: sqlite3.Connection, table: str, ids: set[str], times: int) -> None:
    """Have each row of a table so many times, with a number behind what tells the copies apart."""
    rows = database.execute(f"SELECT * FROM {table}")
    columns = [column for column, *_ in rows.description]
    if not ids & set(columns):
        return
    changed = ids | {"name"}
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    kept = [column for column in columns if column != "position"]  # the database counts it
    copies = [
        [f"{row[name]}-{copy}" if name in changed and row[name] else row[name] for name in kept]
        for copy in range(2, times + 1)
        for row in found
    ]
    places = ", ".join("?" for _ in kept)
    database.executemany(f"INSERT INTO {table} ({', '.join(kept)}) VALUES ({places})", copies)


@contextmanager
def running_hub(folder: Path, command: list[str]) -> Iterator[tuple[str, str]]:
    """The hub in the box, with its address and an operator's token."""
    agent = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    file = folder / ".alectio/hub/hub.json"
    try:
        wait_for(file.exists, START_S)
        known = json.loads(file.read_text())
        yield known["url"], known["operator_token"]
    finally:
        agent.terminate()
        agent.wait(60)


def wait_for(is_so: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    pause = threading.Event()
    while not is_so():
        if time.monotonic() > ends:
            raise SystemExit(f"waited {seconds} s in vain")
        pause.wait(0.2)


def wait_until_quiet(results: Path) -> None:
    """Wait until the results files of all copies are made: that is not what is measured."""
    seen = (0, time.monotonic())

    def is_quiet() -> bool:
        nonlocal seen
        count = sum(1 for _ in results.glob("*/*"))
        if count != seen[0]:
            seen = (count, time.monotonic())
        has_all = len(list(results.glob("*/loops.csv"))) == EXPERIMENTS
        return has_all and time.monotonic() - seen[1] > QUIET_S

    wait_for(is_quiet, RESULTS_S)


def measure(url: str, path: str, token: str) -> Figure:
    """Time whole answers, each over a connection of its own."""
    headers = {"Accept": "text/html"}
    if path.startswith("/v1/"):
        headers = {"Authorization": f"Bearer {token}", "Alectio-Protocol": "1"}
    times_ms = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        answer = requests.get(url + path, headers=headers, timeout=30)
        times_ms.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
    return Figure(f"answer to GET {path}", "ms", tuple(times_ms), most=CEILING_MS)


if __name__ == "__main__":
    main()
