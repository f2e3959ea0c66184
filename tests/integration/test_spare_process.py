"""A hook process that was started before its job: taken once, by the right one, never left over."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.hooks.spare import SPARE_S
from tests.support.hook_runs import HOOKS, HookBench
from tests.support.hub_thread import ForwardClock

TELLING = """
import os

SEEN = {name: os.environ.get(name) for name in ("EXPT_DIR", "LOG_DIR", "COLOUR")}
""" + HOOKS.replace(
    "(payload):\n",
    "(payload):\n    print(SEEN, os.getpid(), os.getcwd(), flush=True)\n",
)

# Starts a process ahead, tells its id, and waits to be killed.
AGENT = """
import sys
from pathlib import Path
from tests.support.hook_runs import HookBench

bench = HookBench(Path(sys.argv[1]))
bench.slot.prepare("toy", bench.pipeline(), bench.folder / "spare.log")
(pgid,) = bench.groups.living
print(pgid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HookBench]:
    made = HookBench(tmp_path)
    yield made
    made.close()
    assert made.groups.living == {}, "a process group was left behind"


def prepare(bench: HookBench, pipeline) -> int:
    """The number of the process that was started ahead."""
    bench.slot.prepare("toy", pipeline, bench.folder / "spare.log")
    (pgid,) = bench.groups.living
    return pgid


def test_the_first_job_takes_it_and_its_hooks_know_their_folders_while_imported(
    bench: HookBench,
) -> None:
    pipeline = bench.pipeline(TELLING)
    pgid = prepare(bench, pipeline)
    step = bench.step(pipeline)
    bench.slot.run(step)
    folder = pipeline.checkpoints.dir / "toy"
    seen = {"EXPT_DIR": str(folder), "LOG_DIR": str(folder / "log"), "COLOUR": None}
    assert f"{seen} {pgid} {pipeline.cwd}" in step.log_file.read_text()
    assert set(bench.groups.living) == {pgid}
    assert bench.groups.count == 1


def test_it_is_taken_only_once(bench: HookBench) -> None:
    pipeline = bench.pipeline()
    pgid = prepare(bench, pipeline)
    bench.run(pipeline, experiment="one")
    bench.run(pipeline, experiment="two")
    assert pgid not in bench.groups.living
    assert bench.groups.count == 2


def test_another_pipeline_gets_a_process_of_its_own(bench: HookBench) -> None:
    pgid = prepare(bench, bench.pipeline(name="other"))
    bench.run(bench.pipeline())
    assert pgid not in bench.groups.living


def test_an_edited_env_file_reaches_the_first_job(bench: HookBench) -> None:
    env_file = bench.folder / "env"
    env_file.touch(0o600)
    env_file.write_text("COLOUR=red\n")
    pipeline = bench.pipeline(TELLING, env_file=env_file)
    pgid = prepare(bench, pipeline)
    env_file.write_text("COLOUR=green\n")
    step = bench.step(pipeline)
    bench.slot.run(step)
    assert "'COLOUR': 'green'" in step.log_file.read_text()
    assert pgid not in bench.groups.living


def test_one_that_was_killed_meanwhile_is_replaced(bench: HookBench) -> None:
    pipeline = bench.pipeline()
    pgid = prepare(bench, pipeline)
    os.killpg(pgid, signal.SIGKILL)
    poll = select.poll()
    pidfd = os.pidfd_open(pgid)
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(20_000)
    os.close(pidfd)
    bench.run(pipeline)
    assert pgid not in bench.groups.living


def test_an_interpreter_that_is_not_there_is_no_error_before_there_is_a_job(
    bench: HookBench,
) -> None:
    bench.slot.prepare("toy", bench.pipeline(python="/nowhere/python"), bench.folder / "spare.log")
    assert bench.groups.living == {}


def test_it_waits_some_seconds_for_a_job_and_no_longer(bench: HookBench) -> None:
    clock = ForwardClock()
    slot = HookSlot(clock, bench.groups, os.environ)
    slot.prepare("toy", bench.pipeline(keep_warm="forever"), bench.folder / "spare.log")
    left_s = slot.evict_idle()
    assert left_s is not None
    assert 0 < left_s <= SPARE_S
    assert len(bench.groups.living) == 1
    clock.ahead_s = SPARE_S
    assert slot.evict_idle() is None
    assert bench.groups.living == {}
    slot.close()


def test_a_killed_agent_leaves_none_behind(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    agent = subprocess.Popen(
        [sys.executable, "-c", AGENT, str(tmp_path)],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert agent.stdout is not None
    pidfd = os.pidfd_open(json.loads(agent.stdout.readline()))
    agent.kill()
    agent.communicate()
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(20_000), "the process that waits for a job outlived the agent"
    os.close(pidfd)
