"""From an empty folder to a finished experiment, with the installed command."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.child.constants import TASKS
from tests.support.projects import read_experiment, run_command


@pytest.mark.parametrize("task", TASKS)
def test_what_init_writes_runs_to_its_end(tmp_path: Path, task: str) -> None:
    made = run_command("init", "first", "--task", task, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "first"
    (folder / "experiment.yaml").write_text(
        (folder / "experiment.yaml").read_text().replace("loops: 8", "loops: 3")
    )
    done = run_command("run", cwd=folder)
    assert done.returncode == 0, done.stderr
    found = read_experiment(folder, "first")
    assert found["state"] == "finished"
    assert len(found["loops"]) == 3
    assert " ! " not in done.stderr
    assert "WARNING" not in done.stderr


def test_the_first_learning_curve_is_worth_a_look(tmp_path: Path) -> None:
    assert run_command("init", "first", cwd=tmp_path).returncode == 0
    done = run_command("run", cwd=tmp_path / "first")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "first/results/first/loops.csv").open() as stream:
        scores = [float(row["accuracy"]) for row in csv.DictReader(stream)]
    assert len(scores) == 8
    assert scores[0] < 0.75
    assert scores[-1] > 0.85
    told = json.loads((tmp_path / "first/results/first/experiment.json").read_text())
    assert sum(told["loops"][0]["class_counts"]["labelled"]) == len(told["loops"][0]["selected"])


def test_an_interpreter_without_this_package_runs_the_starter(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True
    )
    made = run_command("init", "first", "--python", "venv", "--task", "custom", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    done = run_command("run", cwd=tmp_path / "first")
    assert done.returncode == 0, done.stderr
