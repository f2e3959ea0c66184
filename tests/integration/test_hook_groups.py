"""What a hook started ends with it, however it hides; what cannot be ended is waited for in vain
only for a while."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.groups import end_group, find_group, new_marker
from alectio_agent.agent.hooks.processes import Leader, start_time
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import (
    HookCrashedError,
    HookInterruptedError,
    HookTimeoutError,
)
from tests.support.clocks import HurriedClock
from tests.support.hook_runs import HOOKS, HookBench
from tests.support.living import await_end, is_running

# What the hook starts tells its process id through a pipe, whatever became of its environment.
HIDING = """
import os, signal, subprocess, sys
from alectio_agent import progress

def start(code, **how):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    child = subprocess.Popen([sys.executable, "-c", code, str(write)], pass_fds=[write], **how)
    pid = int(os.read(read, 20))
    progress(1, 2, pid=pid)
    return child
"""
TELL = "import os, sys, signal; os.write(int(sys.argv[1]), b'%d' % os.getpid()); signal.pause()"
DAEMON = (
    "import os\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
    + TELL.replace("; ", "\n")
)
HIDDEN = {
    "in the group": (TELL, ""),
    "in a session of its own": (TELL, "start_new_session=True"),
    "as a daemon, by two forks": (DAEMON, ""),
    "in a session of its own, with an empty environment": (TELL, "start_new_session=True, env={}"),
    "in the group, with an empty environment": (TELL, "env={}"),
}


def hooks(code: str, how: str, then: str = "signal.pause()") -> str:
    body = f"    child = start({code!r}, {how})\n    {then}\n"
    return HIDING + HOOKS.replace("def test(payload):\n", f"def test(payload):\n{body}")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HookBench]:
    made = HookBench(tmp_path)
    yield made
    made.close()


def pid_of(bench: HookBench) -> int:
    return int(bench.progress[0][2]["pid"])


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_a_hook_started_ends_with_it(bench: HookBench, hidden: str) -> None:
    bench.on_progress = lambda *_: bench.slot.kill()
    with pytest.raises(HookInterruptedError):
        bench.run(bench.pipeline(hooks(*HIDDEN[hidden])), "test")
    assert not is_running(pid_of(bench))
    assert bench.groups.living == {}


@pytest.mark.parametrize(
    "hidden", ["in the group", "in a session of its own", "as a daemon, by two forks"]
)
def test_what_a_hook_started_ends_when_the_hook_process_dies_by_itself(
    bench: HookBench, hidden: str
) -> None:
    with pytest.raises(HookCrashedError):
        bench.run(bench.pipeline(hooks(*HIDDEN[hidden], then="os._exit(3)")), "test")
    assert not is_running(pid_of(bench))
    assert bench.groups.living == {}


def test_a_group_is_known_by_its_leader_that_has_died_although_no_member_has_the_marker(
    bench: HookBench,
) -> None:
    """Programs write over their environment; the leader is reaped only after its group has gone."""
    code, how = HIDDEN["in the group, with an empty environment"]
    with pytest.raises(HookCrashedError):
        bench.run(bench.pipeline(hooks(code, how, then="os._exit(3)")), "test")
    assert not is_running(pid_of(bench))


# Each of them forks and ends, again and again: whoever looks sees a process that has gone. They
# give up by themselves, should the test fail.
COMETS = """
import os, sys, time
ends_s = time.monotonic() + 20
for _ in range(int(sys.argv[1])):
    if os.fork():
        continue
    while time.monotonic() < ends_s:
        if os.fork():
            os._exit(0)
        time.sleep(0.002)
    os._exit(0)
print("on", flush=True)
sys.stdin.read()
"""


def test_a_group_that_forks_while_it_is_killed_ends_too() -> None:
    marker = new_marker()
    process = subprocess.Popen(
        [sys.executable, "-c", COMETS, "20"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "ALECTIO_HOOK_MARKER": marker},
    )
    assert process.stdout is not None
    process.stdout.readline()
    leader = Leader(process.pid, start_time(process.pid), marker)
    assert end_group(process.pid, leader.start_time, marker, SystemClock()) == frozenset()
    assert find_group(leader) == []
    process.communicate()


class TestStopped:
    """A process that somebody stopped (Ctrl-Z, a debugger, SIGSTOP) runs no handler."""

    STOPPING = "    os.kill(os.getpid(), signal.SIGSTOP)\n    signal.pause()\n"

    def test_its_time_runs_on(self, bench: HookBench) -> None:
        text = "import signal\n" + HOOKS.replace(
            "def test(payload):\n", f"def test(payload):\n{self.STOPPING}"
        )
        with pytest.raises(HookTimeoutError):
            bench.run(bench.pipeline(text, timeout={"test": "1s"}), "test")
        assert bench.groups.living == {}

    def test_it_may_heed_the_request_to_end(self, bench: HookBench) -> None:
        heeding = (
            "    def leave(*_):\n"
            "        print('saved', flush=True)\n"
            "        os._exit(0)\n"
            "    signal.signal(signal.SIGTERM, leave)\n" + self.STOPPING
        )
        text = "import signal\n" + HOOKS.replace(
            "def test(payload):\n", f"def test(payload):\n{heeding}"
        )
        with pytest.raises(HookTimeoutError):
            bench.run(bench.pipeline(text, timeout={"test": "1s"}), "test")
        assert bench.log() == "saved\n"


FREEZER = Path("/sys/fs/cgroup/freezer")


@pytest.fixture
def freezer() -> Iterator[Path]:
    """What lies in a frozen control group (of version 1) does not go away when it is killed."""
    folder = FREEZER / f"alectio-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"needs root and a freezer of control groups, version 1: {error}")
    yield folder
    (folder / "freezer.state").write_text("THAWED")
    for pid in (folder / "cgroup.procs").read_text().split():
        await_end(int(pid))
    folder.rmdir()


def test_a_process_that_cannot_be_killed_is_left_after_a_while_and_holds_back_the_next_job(
    tmp_path: Path, freezer: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = HookBench(tmp_path, HurriedClock(20))

    def freeze(_done, _total, numbers) -> None:
        (freezer / "cgroup.procs").write_text(str(int(numbers["pid"])))
        (freezer / "freezer.state").write_text("FROZEN")
        bench.slot.kill()

    bench.on_progress = freeze
    with pytest.raises(HookInterruptedError):
        bench.run(bench.pipeline(hooks(*HIDDEN["in the group"])), "test")
    pid = pid_of(bench)
    assert "processes of a hook cannot be killed: [" in caplog.text
    (leader,) = bench.groups.living
    await_end(leader)
    assert bench.slot.why_stuck().startswith(
        f"E-HOOK-16  processes of an earlier hook were killed and do not end: {pid}. "
    )
    assert len(bench.groups.living) == 1, "the next start of the agent tries again"

    (freezer / "freezer.state").write_text("THAWED")
    await_end(pid)
    assert bench.slot.why_stuck() == ""
    assert bench.groups.living == {}
    bench.on_progress = None
    assert bench.run(bench.pipeline(), "test").rows == 3
    bench.close()


def test_the_hook_process_itself_may_be_the_one_that_cannot_be_killed(
    tmp_path: Path, freezer: Path
) -> None:
    bench = HookBench(tmp_path, HurriedClock(20))

    def freeze(*_) -> None:
        (pid,) = bench.groups.living
        (freezer / "cgroup.procs").write_text(str(pid))
        (freezer / "freezer.state").write_text("FROZEN")
        bench.slot.kill()

    bench.on_progress = freeze
    with pytest.raises(HookInterruptedError):
        bench.run(bench.pipeline(hooks(*HIDDEN["in the group"])), "test")
    assert "E-HOOK-16" in bench.slot.why_stuck()
    (freezer / "freezer.state").write_text("THAWED")
    (pid,) = bench.groups.living
    await_end(pid)
    assert bench.slot.why_stuck() == ""
    bench.close()
