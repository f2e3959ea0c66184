"""Small experiments on disk, run with the real command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

POOL = 60
QUICK = "strategy: [{name: margin, share: 0.9}, {name: random, share: 0.1}]\n"
"""The default clusters: its process takes a second of processor time longer to be ready."""

# A nearest-mean classifier in plain Python: quick to start, no module state, and it really resumes:
# the checkpoint carries the sums on, so a loop that started from nothing gives other scores.
HOOKS = """
import json, os
from pathlib import Path

CLASSES = 3

def point(index):
    return [((index * 7919) % 101) / 101 + index % CLASSES, ((index * 104729) % 97) / 97]

def begun(payload, step):
    folder = os.environ.get("BEGUN_FOLDER")
    if folder:
        name = "%s-%d-%s" % (Path(payload["ckpt_dir"]).name, payload["loop"], step)
        Path(folder, name).write_text(str(os.getpid()))

def train(payload):
    begun(payload, "train")
    model = {"trained": 0, "sums": [[0.0, 0.0, 0] for _ in range(CLASSES)]}
    if payload["resume_from"]:
        before = Path(payload["ckpt_dir"], payload["resume_from"])
        model["trained"] = json.loads(before.read_text())["trained"]
    for index in payload["labeled"]:
        x, y = point(index)
        total = model["sums"][index % CLASSES]
        total[0] += x; total[1] += y; total[2] += 1
    model["trained"] += 1
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text(json.dumps(model))
    return {"hyperparams": {"trained": model["trained"]}}

def load(payload):
    return json.loads(Path(payload["ckpt_dir"], payload["ckpt_file"]).read_text())

def scores(model, index):
    x, y = point(index)
    row = []
    for sx, sy, n in model["sums"]:
        row.append(-9.0 if n == 0 else -((x - sx / n) ** 2 + (y - sy / n) ** 2))
    return row

def test(payload):
    begun(payload, "test")
    model, chosen = load(payload), range(1000, 1040)
    rows = {index: scores(model, index) for index in chosen}
    return {
        "predictions": {index: row.index(max(row)) for index, row in rows.items()},
        "labels": {index: index % CLASSES for index in chosen},
    }

def infer(payload):
    begun(payload, "infer")
    model = load(payload)
    return {"outputs": {index: scores(model, index) for index in payload["unlabeled"]}}
"""


def write_project(
    folder: Path, *, loops: int = 4, batch: int = 5, hooks: str = HOOKS, experiment: str = "",
    agent: str = "", pool: int = POOL, name: str = "toy", strategy: str = QUICK,
) -> Path:  # fmt: skip
    """Write the three files; gives the path of agent.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "processes.py").write_text(hooks)
    (folder / "agent.yaml").write_text(
        f"pipelines:\n  toy: {{hooks: processes.py, pool_size: {pool}}}\n"
        f"experiment: experiment.yaml\n{agent}"
    )
    (folder / "experiment.yaml").write_text(
        f"name: {name}\ntask: classification\nclasses: 3\nbatch: {batch}\nloops: {loops}\n"
        + experiment
        + strategy
    )
    return folder / "agent.yaml"


def run_command(
    *words: str, cwd: Path, environment: dict[str, str] | None = None, timeout_s: float = 50
) -> subprocess.CompletedProcess[str]:
    """`python -m alectio_agent WORDS`, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "alectio_agent", *words],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def calm_history(folder: Path, *, loops: int, batch: int) -> object:
    """What is kept of an experiment when nobody disturbs it."""
    write_project(folder, loops=loops, batch=batch)
    done = run_command("run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return without_times(read_experiment(folder))


def read_experiment(folder: Path, name: str = "toy") -> dict[str, Any]:
    """The experiment's results file."""
    found: dict[str, Any] = json.loads((folder / "results" / name / "experiment.json").read_text())
    return found


VARYING = {"times", "attempts", "experiment_id", "agents"}


def without_times(value: Any) -> Any:
    """The same without what may differ between two runs of one experiment: times and attempts."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in VARYING}
    if isinstance(value, list):
        return [without_times(item) for item in value]
    return value
