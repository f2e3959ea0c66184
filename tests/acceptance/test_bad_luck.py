"""What disks, people and other machines do to an agent's state folder, with the real command."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.hub_agent import create_experiment
from tests.support.hub_process import AGENT, Hub, listening_socket
from tests.support.projects import (
    HOOKS,
    read_experiment,
    run_command,
    without_times,
    write_project,
)

KILLER = Path(__file__).parents[1] / "support" / "killing_run.py"
ROOT = Path(__file__).parents[2]
LOOPS = 3
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The results of the same experiment when nobody disturbs it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_project(folder, loops=LOOPS)
    done = run_command("run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return without_times(read_experiment(folder))


def run_killed(agent_yaml: Path, point: str, begun: Path, *, target: str = "agent") -> None:
    """Run until the agent is killed at a durable boundary."""
    marks = begun.with_name("marks")
    marks.mkdir()
    begun.mkdir()
    done = subprocess.run(
        [sys.executable, KILLER, target, marks, point, "--", "run", "-c", agent_yaml],
        env={**os.environ, "PYTHONPATH": str(ROOT), "BEGUN_FOLDER": str(begun)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def write_garbage(state: Path) -> None:
    (state / "agent.db-wal").unlink()  # it would heal the file: it holds all pages
    (state / "agent.db").write_bytes(b"a letter that somebody saved in the wrong place\n" * 300)


def leave_the_log_only(state: Path) -> None:
    assert (state / "agent.db-wal").stat().st_size > 0
    (state / "agent.db").unlink()


@pytest.mark.parametrize("damage", [write_garbage, leave_the_log_only])
def test_without_its_journal_an_experiment_ends_as_if_nothing_had_happened(
    damage: Callable[[Path], None], undisturbed: object, tmp_path: Path
) -> None:
    """Killed with a result on disk that the journal did not know yet; then that is damaged."""
    agent_yaml = write_project(tmp_path / "site", loops=LOOPS)
    begun, state = tmp_path / "begun", tmp_path / "site" / ".alectio"
    run_killed(agent_yaml, "manifest-renamed=toy/1 train", begun)
    damage(state)
    trained_by = (begun / "toy-1-train").read_text()
    environment = {"BEGUN_FOLDER": str(begun)}
    again = run_command("run", cwd=agent_yaml.parent, environment=environment, timeout_s=200)
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    assert without_times(read_experiment(agent_yaml.parent)) == undisturbed
    assert (begun / "toy-1-train").read_text() == trained_by, "train was run again"
    assert again.stderr.count("E-DISK-04") == 1
    assert list(state.glob("agent.db.damaged-*"))
    assert "sent again, the platform counts none of them twice" in again.stderr
    quiet = run_command("run", cwd=agent_yaml.parent, timeout_s=200)
    assert quiet.returncode == 0
    assert "E-DISK-04" not in quiet.stderr


def test_a_damaged_manifest_costs_its_step_and_nothing_else(
    undisturbed: object, tmp_path: Path
) -> None:
    agent_yaml = write_project(tmp_path / "site", loops=LOOPS)
    run_killed(agent_yaml, "manifest-renamed=toy/1 infer", tmp_path / "begun")
    state = tmp_path / "site" / ".alectio"
    [folder] = [
        path.parent for path in (state / "outbox").glob("*.infer/manifest.json")
        if json.loads(path.read_text())["job"] == "toy/1"
    ]  # fmt: skip
    (folder / "manifest.json").write_bytes(b"\0" * 4096)
    again = run_command("run", cwd=agent_yaml.parent, timeout_s=200)
    assert again.returncode == 0, again.stderr
    assert f"Moved to {folder}.damaged-1" in again.stderr
    assert without_times(read_experiment(agent_yaml.parent)) == undisturbed


def test_odd_things_in_the_state_folder_are_left_alone(undisturbed: object, tmp_path: Path) -> None:
    agent_yaml = write_project(tmp_path / "site", loops=LOOPS)
    run_killed(agent_yaml, "posted=toy/0 train", tmp_path / "begun")
    state = tmp_path / "site" / ".alectio"
    odd = put_odd_things(state)
    again = run_command("run", cwd=agent_yaml.parent, timeout_s=200)
    assert again.returncode == 0, again.stderr
    assert "Traceback" not in again.stderr
    assert without_times(read_experiment(agent_yaml.parent)) == undisturbed
    assert all(os.path.lexists(path) for path in odd)
    jobs = run_command("jobs", cwd=agent_yaml.parent)
    assert jobs.returncode == 0, jobs.stderr


def put_odd_things(state: Path) -> list[Path]:
    """Files, folders, links, a pipe and a socket where people leave them."""
    made = []
    for place in (state, state / "outbox", state / "logs", state / "state"):
        place.mkdir(exist_ok=True)
        names = ("notes.txt", "a b\n\x1b[31m", ".DS_Store", "x" * 200)
        for name in names:
            (place / name).write_text("mine")
        (place / "old").mkdir()
        (place / "old" / "manifest.json").write_text("{}")
        (place / "nowhere").symlink_to(state / "gone")
        os.mkfifo(place / "pipe")
        with socket.socket(socket.AF_UNIX) as listening:
            # The path of a socket has 107 bytes at most.
            before = Path.cwd()
            os.chdir(place)
            listening.bind("sock")
            os.chdir(before)
        made += [place / name for name in (*names, "old", "nowhere", "pipe", "sock")]
    (state / "outbox" / "lost.train").mkdir()
    (state / "logs" / "toy-0-a1.log.1").mkdir()
    return [*made, state / "outbox" / "lost.train", state / "logs" / "toy-0-a1.log.1"]


class Distant:
    """Hubs one after the other at one address, and agents that work for it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.socket = stack.enter_context(listening_socket())
        self.agents = 0

    def hub(self, data: str = "hub") -> Hub:
        hub = Hub.embedded(self.folder / data, self.socket)
        self._stack.callback(hub.kill)
        return hub

    def site(self, name: str = "site") -> Path:
        site = self.folder / name
        write_project(site, hooks=HOOKS)
        port = self.socket.getsockname()[1]
        (site / "token").write_text(AGENT)
        (site / "token").chmod(0o600)
        (site / "agent.yaml").write_text(
            f"platform: {{url: 'http://127.0.0.1:{port}', token_file: token}}\n"
            "pipelines:\n  toy: {hooks: processes.py, pool_size: 60}\n"
        )
        return site

    def start(self, site: Path) -> "Running":
        self.agents += 1
        running = Running(site, self.folder / f"agent-{self.agents}.log")
        self._stack.callback(running.kill)
        return running


class Running:
    """An agent that stays."""

    def __init__(self, site: Path, log: Path) -> None:
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "alectio_agent", "run"], cwd=site, stderr=file
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, words: str) -> None:
        """Wait until it has said this."""
        with subprocess.Popen(
            ["tail", "-n", "+1", "-F", self._log],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as tail:  # fmt: skip
            assert tail.stdout is not None
            for line in tail.stdout:
                if words in line:
                    break
            tail.kill()

    def end(self) -> int:
        return self._process.wait(200)

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self.end()

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


@pytest.fixture
def distant(tmp_path: Path) -> Iterator[Distant]:
    with ExitStack() as stack:
        yield Distant(tmp_path, stack)


def finished(hub: Hub, name: str) -> list[int]:
    """Labels of the loops of an experiment that is over."""
    view = hub.operate("GET", f"/v1/experiments/{name}").json()
    assert view["state"] == "finished", view
    return [loop["labels"] for loop in view["loops"]]


def settings(**more: object) -> dict[str, object]:
    return {
        "pipeline": "toy",
        "classes": 3,
        "pool": 60,
        "loops": 2,
        "batch": 5,
        "strategy": "margin",
        **more,
    }


def test_a_copied_state_folder_ends_the_older_agent_with_what_to_do(distant: Distant) -> None:
    hub, site = distant.hub(), distant.site()
    first = distant.start(site)
    first.wait_for("no job now")
    shutil.copytree(site, distant.folder / "copy", ignore=shutil.ignore_patterns("*.sock"))
    second = distant.start(distant.folder / "copy")
    assert first.end() == 78
    assert "E-RUN-02" in first.said
    assert "agent.state_dir of its own" in first.said
    assert "identity.json" in first.said
    assert "Traceback" not in first.said
    create_experiment(hub, "digits", **settings())
    second.wait_for("digits/1")
    second.wait_for("test done")
    assert second.stop() == 0
    (site / ".alectio" / "identity.json").unlink()
    third = distant.start(site)
    third.wait_for("registered as")
    assert third.stop() == 0


def test_a_hub_restored_from_yesterdays_backup_is_worked_for(distant: Distant) -> None:
    """It knows an earlier boot of the agent, and nothing of what was computed since."""
    hub, site = distant.hub(), distant.site()
    before = distant.start(site)
    before.wait_for("no job now")
    assert before.stop() == 0
    assert hub.stop()[0] == 0
    shutil.copytree(distant.folder / "hub", distant.folder / "backup")
    hub = distant.hub()
    agent = distant.start(site)
    create_experiment(hub, "lost", **settings())
    agent.wait_for("test done")
    hub.kill()
    shutil.rmtree(distant.folder / "hub")
    shutil.move(distant.folder / "backup", distant.folder / "hub")
    hub = distant.hub()
    create_experiment(hub, "digits", **settings())
    agent.wait_for("digits/1")
    agent.wait_for("no job now; waiting for one")
    assert agent.stop() == 0
    assert finished(hub, "digits") == [5, 10]


def test_results_for_another_platform_wait_until_that_one_answers_again(distant: Distant) -> None:
    hub, site = distant.hub("old"), distant.site()
    create_experiment(hub, "digits", **settings())
    run_killed(site / "agent.yaml", "manifest-renamed=digits/0 infer", distant.folder / "begun")
    hub.kill()
    other = distant.hub("other")
    once = run_command("run", "--once", cwd=site)
    assert once.returncode == 0, once.stderr
    assert "1 jobs belong to another platform than the one that answers" in once.stderr
    listed = run_command("jobs", cwd=site)
    assert "computed, waits for delivery" in listed.stdout
    other.kill()
    hub = distant.hub("old")
    again = run_command("run", "--until-done", cwd=site)
    assert again.returncode == 0, again.stderr
    assert finished(hub, "digits") == [5, 10]
