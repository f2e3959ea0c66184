"""A state folder on a small disk that is full at every durable boundary, and gets room again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.full_disk_run import POINTS
from tests.support.projects import (
    HOOKS,
    calm_history,
    read_experiment,
    run_command,
    without_times,
    write_project,
)
from tests.support.small_disks import empty_disk, fill_disk, remount, small_disk

RUN = [sys.executable, str(Path(__file__).parents[1] / "support" / "full_disk_run.py")]
ROOT = Path(__file__).parents[2]
SAFE = [point for point in POINTS if point != "failure"]
LOOPS = len(SAFE) + 1


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "state") as place:
        yield place


def make_site(folder: Path, disk: Path, *, loops: int, hooks: str = HOOKS, **settings) -> Path:
    """A project whose state lies on the small disk, and its hub's on a large one."""
    hub = folder / "hub"
    hub.mkdir(parents=True)
    (disk / "hub").symlink_to(hub)
    more = f"agent: {{state_dir: {disk}}}\nclaim: {{min_free_disk: 0}}\n"
    return write_project(folder / "site", loops=loops, batch=3, hooks=hooks, agent=more, **settings)


def command(agent_yaml: Path) -> list[str]:
    return ["--", "run", "-c", str(agent_yaml)]


def run_on(
    disk: Path, agent_yaml: Path, *schedule: str, reserve: bool = False, until: str = "",
    **environment: str,
):  # fmt: skip
    told = disk.parent / "told"
    told.touch()
    words = [str(disk), str(told), until or ("yes" if reserve else "no"), *schedule]
    done = subprocess.run(
        [*RUN, *words, *command(agent_yaml)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "Traceback" not in done.stderr
    return done, told.read_text().splitlines()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The results of the same experiment on a disk with room."""
    return calm_history(tmp_path_factory.mktemp("undisturbed"), loops=LOOPS, batch=3)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("reserve", [False, True], ids=["without reserve", "with reserve"])
def test_a_full_disk_costs_time_and_nothing_else(
    reserve: bool, undisturbed: object, disk: Path, tmp_path: Path
) -> None:
    agent_yaml = make_site(tmp_path, disk, loops=LOOPS)
    schedule = [f"{point}=toy/{number}" for number, point in enumerate(SAFE, start=1)]
    done, told = run_on(disk, agent_yaml, *schedule, reserve=reserve)
    assert done.returncode == 0, done.stderr
    assert {line.partition(":")[0] for line in told} == {
        f"{point} toy/{number}" for number, point in enumerate(SAFE, start=1)
    }
    assert without_times(read_experiment(agent_yaml.parent)) == undisturbed
    warned = [line for line in done.stderr.splitlines() if "loses nothing" in line]
    assert len(warned) == len(SAFE), "each outage is told once"
    assert all("E-DISK-06" in line and str(disk) in line for line in warned)
    assert done.stderr.count("the disk takes again") == len(SAFE)


WIDE = """
import os
import signal
from pathlib import Path

EMBEDDING = 4000

def train(payload):
    Path(payload["ckpt_dir"], payload["ckpt_file"]).write_text("x")

def test(payload):
    return {"predictions": [0, 1], "labels": [0, 1]}

def fill():
    place = os.environ.get("FILL")
    if not place or os.path.exists(place + ".done"):
        return
    assert os.path.ismount(os.path.dirname(place)), "only a small disk may be filled"
    Path(place + ".done").write_text("")
    Path(place).with_name("reserve").unlink(missing_ok=True)  # else whoever comes first gets it
    with open(place, "wb", buffering=0) as file:
        try:
            while file.write(bytes(512)):
                pass
        except OSError:
            print("the disk is full, and this is printed all the same", "x" * 10000)

def infer(payload):
    fill()
    rows = {
        index: {"logits": [index / 7, 1.0, 0.0], "embedding": [index / 7] * EMBEDDING}
        for index in payload["unlabeled"]
    }
    return {"outputs": rows}
"""
"""Bulk results: about a MiB for each loop."""


def make_wide_site(tmp_path: Path, disk: Path, *, loops: int) -> Path:
    return make_site(tmp_path, disk, loops=loops, hooks=WIDE, strategy="strategy: random\n")


@pytest.mark.timeout(150)
def test_a_result_waits_in_its_process_for_room(disk: Path, tmp_path: Path) -> None:
    agent_yaml = make_wide_site(tmp_path, disk, loops=2)
    done, told = run_on(disk, agent_yaml, until="toy/0", FILL=str(disk / "fill"), BEGUN_FOLDER="")
    assert done.returncode == 0, done.stderr
    assert ": toy/0" in told
    assert done.stderr.count("toy/0 waits, and loses nothing: E-DISK-06") == 1
    assert "toy/0 infer started" in done.stderr
    assert done.stderr.count("toy/0 infer started") == 1, "computed once"
    printed = (disk / "logs" / "toy-0-a1.log").read_text()
    assert "could not be written here: No space left on device" in printed


@pytest.mark.timeout(150)
def test_acknowledged_results_make_room_for_new_ones(tmp_path: Path) -> None:
    """Eight loops compute more than the disk holds, and results are to be kept for a week."""
    with small_disk(tmp_path / "state", "6m") as disk:
        agent_yaml = make_wide_site(tmp_path, disk, loops=8)
        done = run_command("run", cwd=agent_yaml.parent, timeout_s=100)
        assert done.returncode == 0, done.stderr
        assert "acknowledged results were removed" in done.stderr
        assert len(read_experiment(agent_yaml.parent)["loops"]) == 8


@pytest.mark.timeout(150)
def test_a_second_stop_does_not_wait_for_room(disk: Path, tmp_path: Path) -> None:
    agent_yaml = make_site(tmp_path, disk, loops=2)
    reserve = disk / "reserve"
    with subprocess.Popen(
        [*RUN, str(disk), str(tmp_path / "told"), "never", "manifest=toy/0", *command(agent_yaml)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as agent:
        assert agent.stderr is not None
        said = []
        for line in agent.stderr:
            said.append(line)
            if "loses nothing" in line:
                agent.send_signal(signal.SIGTERM)
            if "again to cancel" in line:
                agent.send_signal(signal.SIGTERM)
        assert agent.wait() == 75, said
    assert any("the result of train is lost" in line for line in said), said
    assert not reserve.exists()
    empty_disk(disk)
    done = run_command("run", cwd=agent_yaml.parent)
    assert done.returncode == 0, done.stderr
    loops = read_experiment(agent_yaml.parent)["loops"]
    assert [[each["attempt"] for each in loop["attempts"]] for loop in loops] == [[1], [1]]


@pytest.mark.timeout(150)
def test_a_disk_that_is_full_or_read_only_at_the_start_is_named(disk: Path, tmp_path: Path) -> None:
    agent_yaml = make_site(tmp_path, disk, loops=1)
    fill_disk(disk)
    full = run_command("run", cwd=agent_yaml.parent)
    assert full.returncode == 75, full.stderr
    assert f"E-DISK-06  {disk}" in full.stderr
    empty_disk(disk)
    remount(disk, "ro")
    refused = run_command("run", cwd=agent_yaml.parent)
    assert refused.returncode == 78, refused.stderr
    assert f"E-DISK-07  {disk}" in refused.stderr
    remount(disk, "rw")
    done = run_command("run", cwd=agent_yaml.parent)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in full.stderr + refused.stderr


@pytest.mark.timeout(150)
def test_a_disk_without_inodes_is_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "state", "8m", "nr_inodes=4") as disk:
        agent_yaml = make_site(tmp_path, disk, loops=1)
        done = run_command("run", cwd=agent_yaml.parent)
    assert done.returncode == 75, done.stderr
    assert "its inodes are used up" in done.stderr


@pytest.mark.timeout(150)
def test_a_start_takes_what_is_set_aside(disk: Path, tmp_path: Path) -> None:
    """Else an agent that was stopped on a full disk could never make room on it again."""
    agent_yaml = make_site(tmp_path, disk, loops=1)
    assert run_command("run", cwd=agent_yaml.parent).returncode == 0
    assert (disk / "reserve").stat().st_size == 2 * 2**20
    fill_disk(disk)
    again = run_command("run", cwd=agent_yaml.parent)
    assert again.returncode == 0, again.stderr
