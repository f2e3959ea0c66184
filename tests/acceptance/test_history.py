"""What is kept of each loop, and what changed between two of them."""

import json
from pathlib import Path

import pytest

from tests.support.projects import HOOKS, read_experiment, run_command, write_project

BROKEN = HOOKS.replace(
    '    begun(payload, "train")\n',
    '    begun(payload, "train")\n    if payload["loop"] == 1: raise ValueError("no such file")\n',
)
MENDED = HOOKS.replace(
    '{"hyperparams": {"trained": model["trained"]}}',
    '{"hyperparams": {"trained": model["trained"], "lr": payload["args"]["lr"]}}',
)
ARGS = "  toy: {{hooks: processes.py, pool_size: 60, args: {{lr: {}, api_token: s3cret}}}}\n"


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment that failed in loop 1, and went on with another file and other args."""
    folder = tmp_path_factory.mktemp("mended")
    agent_yaml = write_project(folder, loops=3, hooks=BROKEN, strategy="")
    agent_yaml.write_text("pipelines:\n" + ARGS.format(0.1) + "experiment: experiment.yaml\n")
    assert run_command("run", cwd=folder).returncode == 3
    agent_yaml.write_text("pipelines:\n" + ARGS.format(0.2) + "experiment: experiment.yaml\n")
    (folder / "processes.py").write_text(MENDED)
    (folder / "late.py").write_text("A = 1\n")
    done = run_command("run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_comparison_names_the_file_the_args_and_the_hyperparams(mended: Path) -> None:
    done = run_command("experiment", "diff", "toy", "0", "1", cwd=mended)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        "toy: loop 0 against loop 1",
        "samples labels 5 -> 10 (+5)",
        "args lr 0.100 -> 0.200 (+0.100)",
        "hyperparams lr none -> 0.200",
        "processes.py changed",
        "late.py added",
        "training began from nothing -> toy-ckpt_0",
        "attempt 1 -> 2",
        "strategy chosen by random -> diverse_margin 90 %, random 10 %",
        "the same: packages, warnings",
    ):
        assert any(line in found for found in lines), (line, done.stdout)
    assert "\x1b" not in done.stdout, "a pipe gets no colours"


def test_a_comparison_is_json_when_asked(mended: Path) -> None:
    done = run_command("experiment", "diff", "toy", "1", "2", "--json", cwd=mended)
    found = json.loads(done.stdout)
    assert {"args", "code", "packages"} <= set(found["same"])
    assert found["samples"]["labels"] == {"old": 10, "new": 15, "difference": 5}


def test_a_loop_that_there_is_not_is_told_with_those_there_are(mended: Path) -> None:
    done = run_command("experiment", "diff", "toy", "0", "7", cwd=mended)
    assert done.returncode == 2
    assert "E-EXP-07  toy/7: there is no such loop; loops 0 to 2 can be compared" in done.stderr
    assert "Traceback" not in done.stderr


def test_results_files_hold_the_code_of_each_loop_and_no_secret(mended: Path) -> None:
    loops = read_experiment(mended)["loops"]
    digests = [loop["provenance"]["code"]["digest"] for loop in loops]
    assert digests[0] != digests[1] == digests[2]
    assert loops[1]["provenance"]["args"] == {"lr": 0.2, "api_token": "(hidden)"}
    assert "s3cret" not in (mended / "results" / "toy" / "experiment.json").read_text()


def test_a_loop_that_waits_is_shown_with_what_to_type_next(tmp_path: Path) -> None:
    write_project(tmp_path, loops=3, hooks=BROKEN)
    assert run_command("run", cwd=tmp_path).returncode == 3
    shown = run_command("experiment", "show", "toy", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "ValueError: no such file" in " ".join(shown.stdout.split())
    assert "alectio-agent experiment retry toy" in shown.stderr
