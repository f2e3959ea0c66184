"""`kill -9` of any process at every durable boundary, then the same command again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.killing_run import POINTS, TARGETS
from tests.support.projects import (
    calm_history,
    read_experiment,
    run_command,
    without_times,
    write_project,
)

pytestmark = pytest.mark.slow

KILLER = Path(__file__).parents[1] / "support" / "killing_run.py"
ROOT = Path(__file__).parents[2]
LOOPS = len(POINTS) + 1
STEP_OF = {
    "claim-answered": "",
    "journalled": "",
    "beat-accepted": "",
    "hook-running": " train",
    "parts-written": " infer",
    "manifest-renamed": " train",
    "posted": " infer",
    "acknowledged": " test",
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The results of the same experiment when nobody disturbs it."""
    return calm_history(tmp_path_factory.mktemp("undisturbed"), loops=LOOPS, batch=3)


@pytest.mark.timeout(600)  # nine runs, each with a hub that starts
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_lost_and_nothing_counts_twice(
    target: str, undisturbed: object, tmp_path: Path
) -> None:
    """One boundary after the other, each in another loop of one experiment."""
    begun, marks = tmp_path / "begun", tmp_path / "marks"
    begun.mkdir()
    marks.mkdir()
    agent_yaml = write_project(tmp_path / "site", loops=LOOPS, batch=3)
    runs = 0
    while runs < LOOPS:
        runs += 1
        ended = run_killed(target, marks, agent_yaml, begun)
        if ended == 0:
            break
        assert ended == -9, "it must end by a kill, or in peace"
    assert {mark.name for mark in marks.iterdir()} == set(POINTS)
    assert runs == (LOOPS if target in ("agent", "group") else 1)
    assert without_times(read_experiment(agent_yaml.parent)) == undisturbed
    assert hook_processes(agent_yaml.parent) == []


def run_killed(target: str, marks: Path, agent_yaml: Path, begun: Path) -> int:
    """Run the command line until it was killed or has ended; gives its exit code."""
    schedule = [
        f"{point}=toy/{number}{STEP_OF[point]}" for number, point in enumerate(POINTS, start=1)
    ]
    done = subprocess.run(
        [sys.executable, str(KILLER), target, str(marks), *schedule, "--", "run", "-c", agent_yaml],
        env={**os.environ, "PYTHONPATH": str(ROOT), "BEGUN_FOLDER": str(begun)},
        capture_output=True,
        text=True,
        timeout=250,  # a hook or a hub dies eight times in one run
    )
    assert "Traceback" not in done.stderr
    return done.returncode


def hook_processes(folder: Path) -> list[int]:
    """Processes that still run hooks of this site."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            content = (entry / "environ").read_bytes()
        except OSError:
            continue
        if b"ALECTIO_HOOK_MARKER=" in content and str(folder).encode() in content:
            found.append(int(entry.name))
    return found


GRANDCHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path

STUBBORN = (
    "import os, signal, sys, time\\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
    "open(sys.argv[1], 'w').write(str(os.getpid()))\\n"
    "time.sleep(600)\\n"
)

def train(payload):
    file = Path(os.environ["BEGUN_FOLDER"], "grandchild")
    if not file.exists():
        subprocess.Popen([sys.executable, "-c", STUBBORN, str(file)])
        time.sleep(600)
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text("x")

def test(payload):
    return {"predictions": [0, 1], "labels": [0, 1]}

def infer(payload):
    return {"outputs": {index: [0.0, 1.0, 2.0] for index in payload["unlabeled"]}}
"""


def test_a_grandchild_that_ignores_term_does_not_outlive_kill_9_and_a_restart(
    tmp_path: Path,
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    agent_yaml = write_project(tmp_path / "site", loops=2, hooks=GRANDCHILD)
    environment = {**os.environ, "BEGUN_FOLDER": str(begun)}
    command = [sys.executable, "-m", "alectio_agent", "run", "-c", str(agent_yaml)]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "train started" in line:
                break
        pid = wait_for_pid(begun / "grandchild")
        running.kill()
        running.stderr.read()
    again = run_command("run", cwd=agent_yaml.parent, environment={"BEGUN_FOLDER": str(begun)})
    assert again.returncode == 0, again.stderr
    assert not Path(f"/proc/{pid}").exists()


def wait_for_pid(file: Path) -> int:
    """The grandchild's process id, once it has said it."""
    import threading

    pause = threading.Event()
    while not (file.exists() and file.read_text()):
        pause.wait(0.02)
    return int(file.read_text())
