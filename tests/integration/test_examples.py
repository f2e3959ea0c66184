"""The examples, run with the real command line in a copy, with fewer loops."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alectio_agent.core.errors import HookInterruptedError
from tests.support.hook_runs import HookBench
from tests.support.interpreters import DEBIAN, need
from tests.support.projects import read_experiment, run_command

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / "agent.yaml").exists())


def copy_example(name: str, tmp_path: Path, **settings: Any) -> Path:
    """A copy without results, whose experiment.yaml has other numbers."""
    made = ("results", ".alectio", "__pycache__")
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(*made))
    file = folder / "experiment.yaml"
    text = file.read_text()
    for key, value in settings.items():
        text, found = re.subn(rf"^{key}: .*$", f"{key}: {value}", text, flags=re.MULTILINE)
        assert found == 1, key
    file.write_text(text)
    return folder


def read_loops(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "results" / name / "loops.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def finished(folder: Path, name: str, labels: list[int]) -> None:
    for experiment in (name, f"{name}-control"):
        assert read_experiment(folder, experiment)["state"] == "finished"
        rows = read_loops(folder, experiment)
        assert [int(row["labels"]) for row in rows] == labels
        assert all(0 <= float(row["accuracy"]) <= 1 for row in rows)


def torch_python() -> Path:
    """An interpreter with torch and scikit-learn: this one, the one asked for, or Debian's."""
    asked = os.environ.get("TORCH_PYTHON")
    for python in (sys.executable, asked):
        probe = [str(python), "-c", "import sklearn, torch"]
        if python and subprocess.run(probe, capture_output=True).returncode == 0:
            return Path(python)
    return need(DEBIAN, "sklearn, torch")


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_whole_and_short(name: str) -> None:
    """Users copy them: everything to run them is there, and nothing takes an evening to read."""
    folder = EXAMPLES / name
    assert {"README.md", "agent.yaml", "experiment.yaml"} <= {
        file.name for file in folder.iterdir()
    }
    for file in [*folder.glob("*.py"), *folder.glob("*.yaml"), folder / "README.md"]:
        assert len(file.read_text().splitlines()) <= 150, file


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_of_an_example_tells_of_each_of_its_files(name: str) -> None:
    text = (EXAMPLES / name / "README.md").read_text()
    for file in [*(EXAMPLES / name).glob("*.py"), *(EXAMPLES / name).glob("*.yaml")]:
        assert f"`{file.name}`" in text, file


@pytest.mark.parametrize("name", NAMES)
def test_the_main_readme_names_every_example(name: str) -> None:
    assert f"examples/{name}" in (EXAMPLES.parent / "README.md").read_text()


def test_topics_run_to_their_end_on_made_up_sentences(tmp_path: Path) -> None:
    folder = copy_example("topic_classification", tmp_path, loops=3)
    done = run_command("run", cwd=folder)
    assert done.returncode == 0, done.stderr
    finished(folder, "topics", [15, 30, 45])
    first = read_experiment(folder, "topics")["loops"][0]
    assert first["names"] is None or len(first["names"]) == 15
    assert not [said for step in first["warnings"].values() for said in step]


def test_a_script_of_the_flask_sdk_runs_with_no_line_changed(tmp_path: Path) -> None:
    folder = copy_example("flask_sdk_script", tmp_path, loops=2)
    assert "from alectio_sdk.flask_wrapper import Pipeline" in (folder / "main.py").read_text()
    done = run_command("run", "--config", str(folder / "agent.yaml"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    finished(folder, "wines", [4, 8])
    logs = run_command("logs", "wines/1", cwd=folder)
    assert "Resuming from wines-ckpt_0" in logs.stdout


def test_with_the_line_of_its_readme_changed_python_main_py_runs_the_agent(tmp_path: Path) -> None:
    folder = copy_example("flask_sdk_script", tmp_path, loops=2)
    (line,) = re.findall(r"^    (.*)  # was: (.*)$", (folder / "README.md").read_text(), re.M)
    script = (folder / "main.py").read_text()
    assert line[1] in script
    (folder / "main.py").write_text(script.replace(line[1], line[0]))
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=folder, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    finished(folder, "wines", [4, 8])


@pytest.mark.timeout(120)  # torch takes seconds to import, in two hook processes
def test_images_run_to_their_end_where_torch_is(tmp_path: Path) -> None:
    folder = copy_example("image_classification", tmp_path, loops=2)
    variables = {
        "ALECTIO_AGENT_PIPELINES__IMAGES__PYTHON": str(torch_python()),
        "ALECTIO_AGENT_PIPELINES__IMAGES__ARGS__EPOCHS": "8",
    }
    done = run_command("run", cwd=folder, environment=variables, timeout_s=100)
    assert done.returncode == 0, done.stderr
    finished(folder, "images", [20, 40])
    first, second = read_experiment(folder, "images")["loops"]
    assert first["hyperparams"]["epochs"] == 8
    assert second["hyperparams"]["loss"] < 2.3, "ten classes by chance: ln 10"
    # Rough scores are told too, under `metrics`: after two loops they are.
    assert not [said for loop in (first, second) for step in ("train", "test", "infer")
                for said in loop["warnings"].get(step, [])]  # fmt: skip
    again = read_experiment(folder, "images-control")["loops"][0]
    same = ("selected", "metrics", "confusion", "hyperparams")
    assert [first[key] for key in same] == [again[key] for key in same], (
        "loop 0 of the control is the same run: the agent has seeded torch"
    )


@pytest.mark.timeout(300)  # torch is imported three times
def test_images_whose_training_is_stopped_in_the_middle_give_the_same_network(
    tmp_path: Path,
) -> None:
    bench = HookBench(tmp_path)
    pipeline = bench.pipeline(
        (EXAMPLES / "image_classification" / "processes.py").read_text(),
        python=torch_python(),
        args={"epochs": 150, "batch_size": 16, "learning_rate": 0.002},
        env={"OMP_NUM_THREADS": "1"},
    )
    changed = {"loop": 0, "classes": 10, "payload": {"labeled": list(range(20))}}

    def losses() -> float:
        trained = bench.run(pipeline, experiment_id="e-1", **changed).inline
        assert trained is not None
        return float(trained["hyperparams"]["loss"])

    wanted = losses()

    def stop(*_: object) -> None:
        bench.on_progress = None
        bench.slot.request(None, asks_hook=True)

    bench.on_progress = stop
    with pytest.raises(HookInterruptedError, match="stopped at a checkpoint"):
        losses()
    assert losses() == wanted
    bench.close()
