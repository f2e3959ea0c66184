"""`run` is told to stop: what becomes of the running step, what is said, how it goes on."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import HOOKS, read_experiment, run_command, write_project

pytestmark = pytest.mark.timeout(180)  # most of them run an experiment twice

# Loop 1 trains for nine epochs, and waits in the third until it is asked to stop.
EPOCHS = """
    from alectio_agent import Stopped, progress, should_stop
    from threading import Event
    folder, begun_at = Path(payload["ckpt_dir"]), 0
    if payload["partial"]:
        begun_at = int((folder / payload["partial"]).read_text())
    print("begun at", begun_at)
    for epoch in range(begun_at, 9):
        progress(epoch, 9)
        while payload["loop"] == 1 and not begun_at and epoch == 3 and not Path("go").exists():
            Event().wait(0.01)
            if should_stop():
                (folder / (payload["ckpt_file"] + ".partial")).write_text(str(epoch))
                print("saved")
                raise Stopped
"""
SAVING = HOOKS.replace('    begun(payload, "train")\n', f'    begun(payload, "train")\n{EPOCHS}')
HANGING = SAVING.replace("if should_stop():", "if False:")


class Run:
    """`run` in a folder of its own, until loop 1 trains."""

    def __init__(self, folder: Path, **environment: str) -> None:
        begun = folder / "begun"
        begun.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alectio_agent", "run"],
            cwd=folder,
            env={**os.environ, "BEGUN_FOLDER": str(begun), **environment},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self.said: list[str] = []
        self.read_to("toy/1 train started")
        while not (begun / "toy-1-train").exists():
            threading.Event().wait(0.01)  # until then there is no step that a stop could wait for

    def read_to(self, words: str) -> str:
        """Wait for a line of its log."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} was not said: {''.join(self.said)}")

    def stop(self, words: str, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.read_to(words)

    def end(self) -> int:
        """Wait for its end; gives the exit code."""
        _, rest = self.process.communicate(timeout=50)
        self.said.append(rest)
        assert "Traceback" not in rest
        return self.process.returncode


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Start `run` with hooks and keys of section `agent`."""
    runs: list[Run] = []

    def starting(hooks: str = SAVING, agent: str = "", **environment: str) -> Run:
        keys = f"agent: {{{agent}}}\n" if agent else ""
        write_project(tmp_path, loops=3, hooks=hooks, agent=keys)
        runs.append(Run(tmp_path, **environment))
        return runs[-1]

    yield starting
    for run in runs:
        run.process.kill()
        run.process.wait()
        assert run.process.stderr is not None
        run.process.stderr.close()


def train_logs(folder: Path) -> list[str]:
    """What `train` of loop 1 printed about where it began, attempt after attempt."""
    files = sorted((folder / ".alectio" / "logs").glob("toy-1-*.log"))
    return [line for file in files for line in file.read_text().splitlines() if "begun" in line]


def goes_on(folder: Path) -> None:
    """The same command ends the experiment, as if nobody had stopped it."""
    again = run_command("run", cwd=folder)
    assert again.returncode == 0, again.stderr
    trained = [loop["hyperparams"]["trained"] for loop in read_experiment(folder)["loops"]]
    assert trained == [1, 2, 3]
    left = [path.name for path in (folder / "checkpoints").rglob("*.partial*")]
    assert left == []
    assert not (folder / "checkpoints" / ".toy.training").exists()


def test_a_step_that_is_stopped_at_a_checkpoint_goes_on_from_it(start: Any, tmp_path: Path) -> None:
    run = start(agent="when_stopped: checkpoint")
    run.stop("asking the hook of toy/1 for a checkpoint (no deadline); again to cancel")
    run.read_to("toy-ckpt_1.partial; to train from the start, remove it")
    run.read_to("toy/1 handed back to the platform: toy/1 train: stopped at a checkpoint")
    assert run.end() == 75
    assert (tmp_path / "checkpoints" / "toy" / "toy-ckpt_1.partial").read_text() == "3"
    goes_on(tmp_path)
    assert train_logs(tmp_path) == ["begun at 0", "begun at 3"]


def test_a_hook_that_takes_no_notice_is_cancelled_at_the_deadline(
    start: Any, tmp_path: Path
) -> None:
    run = start(HANGING, agent="when_stopped: checkpoint, drain_timeout: 1s")
    run.stop("for a checkpoint (at most 1.00 s, then cancelled); again to cancel")
    run.read_to("did not end in time: cancelled")
    assert run.end() == 75
    (tmp_path / "go").touch()
    goes_on(tmp_path)
    assert train_logs(tmp_path) == ["begun at 0", "begun at 0"]


def test_a_first_stop_may_cancel(start: Any) -> None:
    run = start(HANGING, agent="when_stopped: cancel")
    run.stop("stopping: toy/1 is cancelled (TERM now, KILL after 30 s); again to kill at once")
    assert run.end() == 75


def test_twice_cancels_a_step_that_was_to_finish(start: Any) -> None:
    run = start(HANGING)
    run.stop("toy/1 finishes its running step (no deadline); again to cancel")
    run.stop("cancelling the running step; once more kills it", signal.SIGINT)
    assert run.end() == 75


def test_quit_cancels_at_once(start: Any) -> None:
    run = start(HANGING)
    run.stop("toy/1 is cancelled", signal.SIGQUIT)
    assert run.end() == 75


@pytest.fixture
def systemctl(tmp_path: Path) -> dict[str, str]:
    """A machine that goes down: the environment with a command that says so."""
    commands = tmp_path / "commands"
    commands.mkdir()
    (commands / "systemctl").write_text("#!/bin/sh\n[ $1 = is-system-running ] && echo stopping\n")
    (commands / "systemctl").chmod(0o755)
    return {"PATH": f"{commands}:{os.environ['PATH']}"}


def test_a_machine_that_goes_down_asks_for_a_checkpoint(
    start: Any, tmp_path: Path, systemctl: dict[str, str]
) -> None:
    """Whatever a stop does at other times."""
    run = start(agent="when_stopped: cancel", **systemctl)
    said = run.stop("the machine goes down: ")
    deadline = r"asking the hook of toy/1 for a checkpoint \(at most 5 min 0 s, then cancelled\)"
    assert re.search(deadline, said), said
    assert run.end() == 75
    goes_on(tmp_path)
    assert train_logs(tmp_path) == ["begun at 0", "begun at 3"]


def test_a_machine_that_goes_down_may_have_the_step_cancelled(
    start: Any, systemctl: dict[str, str]
) -> None:
    run = start(HANGING, agent="on_shutdown: cancel", **systemctl)
    run.stop("the machine goes down: toy/1 is cancelled")
    assert run.end() == 75


def test_what_a_hook_saved_by_itself_is_gone_on_from_after_a_kill(
    start: Any, tmp_path: Path
) -> None:
    saving = SAVING.replace(
        "        progress(epoch, 9)\n",
        "        (folder / (payload['ckpt_file'] + '.partial')).write_text(str(epoch))\n"
        "        progress(epoch, 9)\n"
        "        if epoch == 3 and payload['loop'] == 1: Path('waits').touch()\n",
    )
    run = start(saving)
    while not (tmp_path / "waits").exists():
        threading.Event().wait(0.02)
    run.process.kill()
    assert run.process.wait() == -signal.SIGKILL
    goes_on(tmp_path)
    assert train_logs(tmp_path) == ["begun at 0", "begun at 3"]
