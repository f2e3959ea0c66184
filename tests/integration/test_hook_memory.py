"""A hook that takes more memory than it may, or that the kernel ends for it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alectio_agent.agent.hooks.groups import new_marker
from alectio_agent.agent.hooks.memory import SAMPLE_S, Excess, Family, MemoryWatch
from alectio_agent.agent.hooks.oom import OomWitness
from alectio_agent.agent.hooks.processes import Leader, start_time
from alectio_agent.core.errors import HookCrashedError, HookMemoryError, HookRaisedError
from tests.support.clocks import FakeClock
from tests.support.hook_runs import HOOKS, HookBench
from tests.support.living import is_running

MIB = 2**20
NOBODY = 2**22 + 1  # Linux gives no process a number above 2**22


@contextmanager
def running(code: str, *, ready: int) -> Iterator[Leader]:
    """A process that leads a group, like a hook's; `ready` of its processes say so."""
    marker = new_marker()
    process = subprocess.Popen(
        [sys.executable, "-c", f"import os, signal\n{code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "ALECTIO_HOOK_MARKER": marker},
    )
    assert process.stdout is not None
    for _ in range(ready):
        process.stdout.readline()
    try:
        yield Leader(process.pid, start_time(process.pid), marker)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def look(leader: Leader, limit_bytes: int) -> Excess | None:
    clock = FakeClock()
    watch = MemoryWatch(limit_bytes, Family(leader), clock)
    clock.advance(SAMPLE_S)
    return watch.look()


FILL = "filled = bytearray(b'x' * (%d << 20))\n"
# The workers of a DataLoader share with their parent what it had loaded.
SHARING = FILL % 200 + (
    "for _ in range(4):\n    if os.fork() == 0:\n"
    "        print('up', flush=True)\n        signal.pause()\nsignal.pause()\n"
)
APART = (
    "for _ in range(4):\n    if os.fork() == 0:\n"
    f"        {FILL % 60}"
    "        print('up', flush=True)\n        signal.pause()\nsignal.pause()\n"
)


class TestWhatCounts:
    def test_what_processes_share_counts_once(self) -> None:
        with running(SHARING, ready=4) as leader:
            assert look(leader, 400 * MIB) is None

    def test_what_each_process_holds_for_itself_is_added_up(self) -> None:
        with running(APART, ready=4) as leader:
            excess = look(leader, 200 * MIB)
        assert excess is not None
        assert 240 * MIB < excess.found_bytes < 400 * MIB
        assert excess.count == 5
        assert [share.bytes > 60 * MIB for share in excess.largest] == [True] * 4 + [False]
        assert leader.pgid == excess.largest[-1].pid
        assert {share.name for share in excess.largest} == {Path(sys.executable).name}

    @pytest.mark.parametrize("how", ["start_new_session=True", "start_new_session=True, env={}"])
    def test_a_process_that_left_the_group_counts_too(self, how: str) -> None:
        child = f"import signal\n{FILL % 200}print('up', flush=True)\nsignal.pause()"
        code = (
            "import subprocess, sys\n"
            f"child = subprocess.Popen([sys.executable, '-c', {child!r}], {how})\n"
            "signal.pause()\n"
        )
        with running(code, ready=1) as leader:
            excess = look(leader, 100 * MIB)
            assert excess is not None
            os.kill(excess.largest[0].pid, signal.SIGKILL)
        assert excess.largest[0].pid != leader.pgid

    def test_strangers_do_not_count(self) -> None:
        with running(FILL % 200 + "print('up', flush=True)\nsignal.pause()", ready=1):
            assert look(Leader(NOBODY, 1, new_marker()), MIB) is None


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HookBench]:
    made = HookBench(tmp_path)
    yield made
    made.close()
    assert made.groups.living == {}


def with_test(body: str) -> str:
    return "import signal\n" + HOOKS.replace(
        "def test(payload):\n", f"def test(payload):\n    {body}\n"
    )


GREEDY = with_test(
    "pid = os.fork()\n    if not pid: signal.pause()\n    print(pid, flush=True)\n"
    "    filled = b'x' * (300 << 20)\n    signal.pause()"
)


class TestLimit:
    def test_a_hook_above_its_limit_is_killed_and_the_numbers_are_told(
        self, bench: HookBench
    ) -> None:
        pipeline = bench.pipeline(GREEDY, memory="100MiB")
        with pytest.raises(HookMemoryError) as failed:
            bench.run(pipeline, "test")
        error = failed.value
        assert (error.failure_class, error.code) == ("oom", "E-HOOK-14")
        assert re.fullmatch(
            r"E-HOOK-14  toy/1 test: the hook took [123]\d\d\.\d MiB of memory in 2 processes, "
            r"more than 100\.0 MiB \(pipelines\.toy\.memory\); all were killed",
            error.message,
        )
        assert "Largest: python" in error.hint
        assert "raise pipelines.toy.memory" in error.hint
        assert "if that does not help, mend it, then: alectio-agent experiment retry" in error.hint
        assert not is_running(int(bench.log()))
        assert bench.run(pipeline, "infer").rows == 3

    def test_an_import_falls_under_the_limit_too(self, bench: HookBench) -> None:
        greedy = f"{HOOKS}\nimport signal\nfilled = b'x' * (300 << 20)\nsignal.pause()\n"
        with pytest.raises(HookMemoryError):
            bench.run(bench.pipeline(greedy, memory="100MiB"), "test")

    def test_a_look_at_hooks_falls_under_the_limit_too(self, bench: HookBench) -> None:
        state = (
            "\ndef state(payload):\n    import signal\n    filled = b'x' * (300 << 20)\n"
            "    signal.pause()\n"
        )
        pipeline = bench.pipeline(HOOKS + state, memory="100MiB")
        with pytest.raises(HookMemoryError, match=r"pipelines\.toy\.hooks: "):
            bench.slot.inspect("toy", pipeline, bench.folder)


# What the kernel counts lies in files of the test's own; the process is killed for real.
@pytest.fixture
def machine(tmp_path: Path) -> Path:
    root = tmp_path / "machine"
    for folder in ("proc/self", "sys/fs/cgroup/agent.service"):
        (root / folder).mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/agent.service\n")
    (root / "proc/meminfo").write_text("MemTotal: 65536 kB\n")
    (root / "proc/vmstat").write_text("oom_kill 7\n")
    return root


COUNTED = "open(os.environ['COUNTER'], 'w').write('oom_kill 8\\n'); "


def run_on(machine: Path, counter: str, body: str) -> Exception:
    """What a hook's `test` ends with, on a machine whose kernel counts in that file."""
    bench = HookBench(machine.parent, witness=OomWitness(machine), COUNTER=str(machine / counter))
    try:
        with pytest.raises((HookCrashedError, HookMemoryError, HookRaisedError)) as failed:
            bench.run(bench.pipeline(with_test(body)), "test")
    finally:
        bench.close()
    return failed.value


EVENTS = "sys/fs/cgroup/agent.service/memory.events"
KILLED = "os.kill(os.getpid(), 9)"


class TestKernel:
    def test_a_kill_for_memory_is_told_from_a_crash_and_has_numbers(self, machine: Path) -> None:
        error = run_on(machine, "proc/vmstat", f"x = b'x' * (150 << 20); {COUNTED}{KILLED}")
        assert isinstance(error, HookMemoryError)
        assert (error.failure_class, error.code) == ("oom", "E-HOOK-15")
        assert re.fullmatch(
            r"E-HOOK-15  toy/1 test: the kernel killed the hook process because memory ran out "
            r"\((its largest process held 1\d\d\.\d MiB; )?"
            r"the memory of the machine is 64\.0 MiB\)",
            error.message,
        )

    def test_the_limit_of_a_control_group_is_named(self, machine: Path) -> None:
        (machine / EVENTS).write_text("oom_kill 7\n")
        (machine / EVENTS).with_name("memory.max").write_text("1048576\n")
        error = run_on(machine, EVENTS, COUNTED + KILLED)
        assert isinstance(error, HookMemoryError)
        assert "memory.max of the control group agent.service is 1.0 MiB" in error.message

    def test_a_kill_while_the_kernel_ended_nothing_is_a_crash(self, machine: Path) -> None:
        error = run_on(machine, "proc/vmstat", KILLED)
        assert isinstance(error, HookCrashedError)
        assert error.hint.startswith("It was not for memory: ")

    def test_where_the_kernel_does_not_count_a_kill_is_a_crash_that_may_be_one(
        self, machine: Path
    ) -> None:
        (machine / "proc/vmstat").unlink()
        error = run_on(machine, "proc/vmstat", KILLED)
        assert isinstance(error, HookCrashedError)
        assert error.hint.startswith("The kernel does this when memory runs out")

    def test_another_signal_is_a_crash_whatever_the_kernel_counted(self, machine: Path) -> None:
        error = run_on(machine, "proc/vmstat", f"{COUNTED}os.kill(os.getpid(), 11)")
        assert isinstance(error, HookCrashedError)

    def test_a_hook_that_raises_after_a_worker_was_killed_for_memory_is_out_of_memory(
        self, machine: Path
    ) -> None:
        """A DataLoader raises RuntimeError then: a person would look for a fault in the code."""
        (machine / EVENTS).write_text("oom_kill 7\n")
        error = run_on(machine, EVENTS, f"{COUNTED}raise RuntimeError('worker exited')")
        assert isinstance(error, HookMemoryError)
        assert error.message.startswith(
            "E-HOOK-15  toy/1 test: the kernel killed 1 process of this agent's control group "
        )
        assert "worker exited" not in error.message, "the first line may leave the site"
        assert "RuntimeError: worker exited" in error.hint
        assert "RuntimeError" in error.traceback

    def test_elsewhere_on_the_machine_it_is_no_reason_for_what_a_hook_raises(
        self, machine: Path
    ) -> None:
        error = run_on(machine, "proc/vmstat", f"{COUNTED}raise RuntimeError('bad row')")
        assert isinstance(error, HookRaisedError)

    def test_what_a_hook_raises_without_a_kill_is_its_own(self, machine: Path) -> None:
        (machine / EVENTS).write_text("oom_kill 7\n")
        error = run_on(machine, EVENTS, "raise RuntimeError('bad row')")
        assert isinstance(error, HookRaisedError)


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group of version 2 that bounds memory; the processes in it are killed for real."""
    top = Path("/sys/fs/cgroup")
    control = top / "cgroup.subtree_control"
    if not control.exists() or "memory" not in control.read_text().split():
        pytest.skip("needs control groups of version 2 that bound memory")
    folder = top / f"alectio-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"needs root: {error}")
    try:
        (folder / "memory.max").write_text(str(100 * MIB))
        yield folder
    finally:
        folder.rmdir()


def test_the_kernels_own_kill_is_out_of_memory(bench: HookBench, small_group: Path) -> None:
    body = (
        f"open({str(small_group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"
        "    kept = [b'x' * (1 << 20) for _ in range(400)]"
    )
    with pytest.raises(HookMemoryError, match="E-HOOK-15"):
        bench.run(bench.pipeline(with_test(body)), "test")
