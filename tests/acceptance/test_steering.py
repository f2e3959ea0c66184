"""What a person does to an experiment between two runs, with the real command line."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alectio_agent.core.errors import ExitCode
from tests.support.projects import HOOKS, read_experiment, run_command, write_project

FAILS_IN_INFER = HOOKS.replace(
    '    begun(payload, "infer")\n',
    '    begun(payload, "infer")\n    if payload["loop"] == 1: raise ValueError("no such file")\n',
)


def run(folder: Path, *words: str, begun: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"BEGUN_FOLDER": str(begun)} if begun else {}
    done = run_command(*words, cwd=folder, environment=environment)
    assert "Traceback" not in done.stderr
    return done


def selections(folder: Path) -> list[list[int]]:
    return [loop["selected"] for loop in read_experiment(folder)["loops"]]


def counted_attempts(folder: Path) -> list[int]:
    """The number of the attempt behind each loop."""
    return [
        max(tried["attempt"] for tried in loop["attempts"] if tried["counted"])
        for loop in read_experiment(folder)["loops"]
    ]


class Originals:
    """Projects whose first run is over: run once, and copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def finished(self, folder: Path) -> None:
        """All three loops are done."""
        self._copy("finished", HOOKS, ExitCode.CLEAN, folder)

    def failed(self, folder: Path) -> None:
        """Loop 1 waits for a person, since its infer failed; the hooks are mended."""
        self._copy("failed", FAILS_IN_INFER, ExitCode.FAILED, folder)
        (folder / "processes.py").write_text(HOOKS)

    def _copy(self, name: str, hooks: str, code: int, to: Path) -> None:
        original = self._folder / name
        if not original.exists():
            write_project(original, loops=3, hooks=hooks)
            done = run(original, "run")
            assert done.returncode == code, done.stderr
        shutil.copytree(original, to, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    return Originals(tmp_path_factory.mktemp("originals"))


def test_a_mended_hook_goes_on_from_the_step_that_failed(
    originals: Originals, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    originals.failed(tmp_path)
    retried = run(tmp_path, "experiment", "retry", "toy")
    assert retried.returncode == 0, retried.stderr
    assert retried.stdout == "toy: tries again from where it failed; loop 1 runs next\n"
    assert "Go on: alectio-agent run" in retried.stderr
    done = run(tmp_path, "run", begun=begun)
    assert done.returncode == 0, done.stderr
    steps = sorted(file.name for file in begun.iterdir() if file.name.startswith("toy-1-"))
    assert steps == ["toy-1-infer"], "neither train nor test may run again"
    assert [loop["labels"] for loop in read_experiment(tmp_path)["loops"]] == [5, 10, 15]


def test_a_fault_of_train_that_shows_in_infer_is_trained_again(
    originals: Originals, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    originals.failed(tmp_path)
    assert run(tmp_path, "experiment", "retry", "toy", "--step", "train").returncode == 0
    assert run(tmp_path, "run", begun=begun).returncode == 0
    steps = sorted(file.name for file in begun.iterdir() if file.name.startswith("toy-1-"))
    assert steps == ["toy-1-infer", "toy-1-test", "toy-1-train"]
    loop = read_experiment(tmp_path)["loops"][1]
    assert loop["hyperparams"] == {"trained": 2}, "it resumed from loop 0, not from the bad train"


def test_a_rewound_loop_repeats_its_selection_with_attempts_going_on(
    originals: Originals, tmp_path: Path
) -> None:
    originals.finished(tmp_path)
    before = selections(tmp_path)
    rewound = run(tmp_path, "experiment", "rewind", "toy")
    assert rewound.stdout.startswith("toy: rewound by 1 loop; ")
    done = run(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert selections(tmp_path) == before
    assert counted_attempts(tmp_path) == [1, 1, 2]
    held = {file.name for file in (tmp_path / "checkpoints" / "toy").iterdir()}
    assert "toy-ckpt_2-a2" in held


def test_two_rewound_loops_repeat_their_selections(originals: Originals, tmp_path: Path) -> None:
    originals.finished(tmp_path)
    before = selections(tmp_path)
    assert run(tmp_path, "experiment", "rewind", "toy", "--loops", "2").returncode == 0
    done = run(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert selections(tmp_path) == before
    assert counted_attempts(tmp_path) == [1, 2, 2]


def test_a_whole_experiment_is_rewound_with_its_control(tmp_path: Path) -> None:
    write_project(tmp_path, loops=3, experiment="control: replay\n")
    first = run(tmp_path, "run")
    assert first.returncode == 0, first.stderr
    before = selections(tmp_path)
    assert run(tmp_path, "experiment", "rewind", "toy", "--loops", "3").returncode == 0
    done = run(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert selections(tmp_path) == before
    control = read_experiment(tmp_path, "toy-control")
    assert control["state"] == "finished"
    assert control["loops"][0]["selected"] == before[0]
    refused = run(tmp_path, "experiment", "rewind", "toy", "--loops", "4")
    assert (refused.returncode, "E-EXP-07" in refused.stderr) == (2, True)


def test_a_finished_experiment_goes_on_with_more_loops(
    originals: Originals, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    originals.finished(tmp_path)
    before = selections(tmp_path)
    extended = run(tmp_path, "experiment", "extend", "toy", "--loops", "5")
    assert extended.stdout == "toy: has 60 samples and 5 loops now; loop 2 runs next\n"
    assert "Write `loops: 5` into experiment.yaml" in extended.stderr
    write_project(tmp_path, loops=5)
    done = run(tmp_path, "run", begun=begun)
    assert done.returncode == 0, done.stderr
    assert selections(tmp_path)[:3] == before
    assert [loop["labels"] for loop in read_experiment(tmp_path)["loops"]] == [5, 10, 15, 20, 25]
    steps = sorted(file.name for file in begun.iterdir() if file.name.startswith("toy-2-"))
    assert steps == ["toy-2-infer"], "its train and test were counted already"


def test_a_paused_experiment_goes_on_after_resume(originals: Originals, tmp_path: Path) -> None:
    originals.failed(tmp_path)
    assert run(tmp_path, "experiment", "retry", "toy").returncode == 0
    assert "it is paused" in run(tmp_path, "experiment", "pause", "toy").stdout
    resumed = run(tmp_path, "experiment", "resume", "toy")
    assert resumed.stdout == "toy: goes on; loop 1 runs next\n"
    done = run(tmp_path, "run")
    assert done.returncode == 0, done.stderr


def test_a_cancelled_experiment_is_over_for_good(originals: Originals, tmp_path: Path) -> None:
    originals.failed(tmp_path)
    cancelled = run(tmp_path, "experiment", "cancel", "toy")
    assert cancelled.stdout == "toy: ended for good, its results stay; it is cancelled\n"
    again = run_command("run", cwd=tmp_path)
    assert again.returncode == 3
    assert "was cancelled already: nothing was run" in again.stderr
    assert "experiment retry" not in again.stdout
    refused = run(tmp_path, "experiment", "rewind", "toy")
    assert (refused.returncode, "E-EXP-02" in refused.stderr) == (2, True)


def test_results_are_exported_beside_the_originals(originals: Originals, tmp_path: Path) -> None:
    originals.finished(tmp_path)
    exported = run(tmp_path, "experiment", "export", "toy")
    assert exported.stdout == (
        "toy: wrote experiment.json, loops.csv, classes.csv, selected.csv and report.html into "
        "export/toy\n"
    )
    copy = tmp_path / "export" / "toy" / "loops.csv"
    assert copy.read_text() == (tmp_path / "results" / "toy" / "loops.csv").read_text()
    assert not (tmp_path / "export" / "toy" / "outputs").exists(), "they can be large"


def test_outputs_are_exported_when_asked(originals: Originals, tmp_path: Path) -> None:
    originals.finished(tmp_path)
    exported = run(tmp_path, "experiment", "export", "toy", "--outputs")
    assert exported.stdout.endswith("report.html and outputs of 2 loops into export/toy\n")
    assert re.search(r"^toy: [\d.]+ MB", exported.stderr, re.MULTILINE), "one line in a pipe"
    for loop in (0, 1):
        place = Path("toy", "outputs", f"loop_{loop}.npz")
        copied = (tmp_path / "export" / place).read_bytes()
        assert copied == (tmp_path / "results" / place).read_bytes()
    with np.load(tmp_path / "export" / "toy" / "outputs" / "loop_0.npz") as found:
        assert found["logits"].shape == (len(found["index"]), 3)


def test_a_pool_grows_while_a_loop_runs(tmp_path: Path) -> None:
    """What it trains and tests counts; its infer comes again, on all samples."""
    waiting = HOOKS.replace(
        '    begun(payload, "train")\n',
        '    begun(payload, "train")\n'
        '    if payload["loop"] == 1:\n'
        "        import time\n"
        '        while not Path(os.environ["BEGUN_FOLDER"], "go").exists(): time.sleep(0.01)\n',
    )
    write_project(tmp_path, loops=3, hooks=waiting, experiment="pool: 30\n")
    begun = tmp_path / "begun"
    begun.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "alectio_agent", "run"],
        cwd=tmp_path,
        env={**os.environ, "BEGUN_FOLDER": str(begun)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        while "toy/1 train started" not in (line := running.stderr.readline()):
            assert line, "it ended before loop 1"
        extended = run(tmp_path, "experiment", "extend", "toy", "--pool", "60")
        assert extended.returncode == 0, extended.stderr
        (begun / "go").write_text("")
        said = running.stderr.read()
    assert running.returncode == 0, said
    found = read_experiment(tmp_path)
    assert (found["state"], found["pool"]["size"]) == ("finished", 60)
    assert counted_attempts(tmp_path) == [1, 2, 1]
    assert found["loops"][1]["rows"]["infer"] == 50
